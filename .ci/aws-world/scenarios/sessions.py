"""Sessions that outlive a key: the delay of IAM, and clocks that differ."""
import threading

from stage import Incident


class Sessions(Incident):
    def setUp(self):
        super().setUp()
        self.user = self.production.user("deploy")
        self.key = self.user.keys[0]

    def contain(self, *flags, while_active=False):
        self.scan(self.key)
        self.assertPlanned(self.plan())
        stop = threading.Event()
        intruder = threading.Thread(target=self.issue, args=(stop,)) if while_active else None
        if intruder:
            intruder.start()
        run = self.apply(*flags)
        stop.set()
        if intruder:
            intruder.join()
        self.assertContained(run)
        for session in [s for s in self.world.sessions.values() if s.owner is self.user]:
            self.assertDenied(session)

    def issue(self, stop):
        """Calls GetSessionToken as long as STS takes the key."""
        while not stop.wait(0.3):
            with self.world.lock:
                if self.world.works(self.key):
                    self.world.user_session(self.user)

    def test_without_delay(self):
        self.world.user_session(self.user)
        self.contain("--findings", self.path("scan.jsonl"))

    def test_sts_hears_after_four_seconds(self):
        self.world.lag = 4
        self.contain("--findings", self.path("scan.jsonl"), while_active=True)

    def test_sts_hears_after_four_seconds_and_is_not_asked(self):
        self.world.lag = 4
        self.contain(while_active=True)

    def test_clock_five_minutes_slow(self):
        self.world.offset = 300
        self.contain(while_active=True)

    def test_clock_fourteen_minutes_slow(self):
        self.world.offset = 840
        self.world.user_session(self.user, age=60)
        self.contain("--findings", self.path("scan.jsonl"))

    def test_clock_fourteen_minutes_fast(self):
        self.world.offset = -840
        self.contain(while_active=True)

    def test_new_sessions_live_after_the_replacement(self):
        """The policy ends old sessions only: those of the next key work."""
        self.contain()
        self.assertTrue(self.allowed(self.world.user_session(self.user, age=-120)))
