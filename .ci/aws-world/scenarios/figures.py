"""Figures of an incident: requests, seconds and questions, for 1 and 10 keys of an account with 17 regions."""
import collections
import time

from stage import PRODUCTION, Incident

REGIONS = """us-east-1 us-east-2 us-west-1 us-west-2 ca-central-1 sa-east-1 eu-west-1 eu-west-2 eu-west-3 eu-central-1 eu-north-1
ap-south-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-southeast-1 ap-southeast-2""".split()


class Figures(Incident):
    slow = True

    def measure(self, command, run):
        before, started = len(self.world.requests), time.time()
        done = run()
        self.parts.append(f"{command} {len(self.world.requests) - before} requests {time.time() - started:.0f} s")
        return done

    def figures(self, count):
        self.world.regions, self.parts = REGIONS, []
        keys = [self.production.user(f"deploy-{number}").keys[0] for number in range(count)]
        self.scan(*keys)
        before = len(self.world.requests)
        self.measure("assess", lambda: self.run_stanch("assess", self.path("scan.jsonl"), *self.role_flags))
        assessed = collections.Counter(call.permission for call in self.world.requests[before:])
        planned = self.measure("plan", self.plan)
        self.assertPlanned(planned, keys=count)
        answers = "".join(f"{PRODUCTION} {key['key_id'][-4:]}\n" for key in planned.plan["keys"])
        command = ["respond", "apply", self.path("plan.json"), "--accounts", PRODUCTION, *self.role_flags, "--max-keys", str(count), "--findings", self.path("scan.jsonl")]
        applied = self.measure("apply", lambda: self.run_stanch(*command, input=answers))
        self.assertContained(applied)
        questions = applied.err.count("\n> ")
        with self.stage.lock:
            self.stage.figures.append(f"incident of {count:2} keys in 17 regions: {', '.join(self.parts)}; questions: {questions}")
        return assessed

    def test_one_key(self):
        self.figures(1)

    def test_ten_keys(self):
        assessed = self.figures(10)
        self.assertLessEqual(assessed.total(), 150, f"requests of stanch assess: {assessed}")
