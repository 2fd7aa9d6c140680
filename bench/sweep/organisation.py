#!/usr/bin/env python3
"""Makes an organisation of repositories with keys in them, for serve.mjs.

    bench/sweep/organisation.py OUT SOURCE.git...

SOURCEs are bare clones of public repositories; they are only read. Small ones are
taken whole, of large ones slices: some hundred commits in a row of one folder, as a
repository of their own. OUT gets git/ with the repositories, organisation.json for
the server and planted.json: which keys were put where. Keys are random, of no account
that anybody has, and in OUT alone; remove it when you are done.

    bench/sweep/organisation.py OUT --push    a commit with a key, pushed to one repository
    bench/sweep/organisation.py OUT --force   the same, and forced away again

Python 3.9 or later, standard library only; git.
"""

import argparse
import base64
import datetime
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys

OWNER = "acme"
WHO = "Ada <ada@example.com>"
RANDOM = random.SystemRandom()


class Organisation:
    def __init__(self, out):
        self.out, self.git_dir = out, out / "git"
        self.repositories, self.planted = [], []
        self.rand = random.Random(7)  # of what is made; keys are of RANDOM
        self.clock = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
        self.env.update(GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1", GIT_NO_LAZY_FETCH="1",
                        GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0="safe.directory", GIT_CONFIG_VALUE_0="*")

    # The files

    def load(self):
        self.repositories = json.loads((self.out / "organisation.json").read_text())["repositories"]
        self.planted = json.loads((self.out / "planted.json").read_text())

    def save(self):
        for name, content in (("planted.json", self.planted), ("organisation.json", {"repositories": self.repositories})):
            part = self.out / f".{name}"
            part.write_text(json.dumps(content, indent=1))
            part.replace(self.out / name)

    # Git

    def path(self, name):
        return self.git_dir / OWNER / f"{name}.git"

    def git(self, at, *args, stdin=None, check=True):
        run = subprocess.run(["git", "-C", str(at), *args], env=self.env, input=stdin, capture_output=True)
        if check and run.returncode:
            raise RuntimeError(f"git {' '.join(args)} in {at}: {run.stderr.decode(errors='replace')[-400:]}")
        return run.stdout.decode(errors="replace").strip()

    def init(self, name, alternates=None):
        at = self.path(name)
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(at)], env=self.env, check=True)
        if alternates:
            (at / "objects/info/alternates").write_text(f"{alternates.resolve()}/objects\n")
        return at

    def own(self, at):
        """Copies what at has from others, so that it stands alone. Not with repack: of a source
        that is a partial clone that takes all."""
        before = list((at / "objects/pack").iterdir())
        self.git(at, "pack-objects", "-q", "--revs", "--all", "--delta-base-offset", "objects/pack/pack", stdin=b"")
        for file in before:
            file.unlink()
        (at / "objects/info/alternates").unlink()

    def whole(self, name, source):
        """All of source, its pull requests included if they are there; else its branch and tags."""
        head = self.git(source, "symbolic-ref", "HEAD")
        tries = [["refs/tags/*:refs/tags/*", "refs/pull/*:refs/pull/*"], ["refs/tags/*:refs/tags/*"], []]
        for refs in tries:
            at = self.init(name, source)
            try:
                self.git(at, "fetch", "-q", "--no-auto-gc", str(source), f"+{head}:refs/heads/main", *refs)
                self.own(at)
                return
            except RuntimeError:
                shutil.rmtree(at)
        raise RuntimeError(f"{source} is not complete")

    def slice(self, name, source, folder, commits):
        """A repository of commits (oldest first) of source that shows folder alone."""
        at = self.init(name, source)
        names = "".join(f"{c}:{folder}\n" for c in commits).encode()
        trees = [line.split() for line in self.git(source, "cat-file", "--batch-check", stdin=names).splitlines()]
        texts = self.git(source, "log", "--no-walk=unsorted", "--stdin", "--format=%x00%H%n%an <%ae>%n%at%n%B", stdin="\n".join(commits).encode())
        about = {}
        for text in texts.split("\0")[1:]:
            id, who, when, message = text.split("\n", 3)
            about[id] = re.sub(r"[<>]", "", who.rsplit(" <", 1)[0]), when, message
        stream = []
        for commit, tree in zip(commits, trees):
            if tree[1] != "tree":
                continue
            who, when, message = about[commit]
            message = message.encode()
            stream.append(f"commit refs/heads/main\ncommitter {who} <{len(who)}@example.com> {when} +0000\ndata {len(message)}\n".encode()
                          + message + f"\nM 040000 {tree[0]} \n\n".encode())
        self.git(at, "fast-import", "--quiet", stdin=b"".join(stream))
        self.own(at)

    def fork(self, name, parent):
        at = self.init(name)
        self.git(at, "fetch", "-q", "--no-auto-gc", str(self.path(parent)), "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")

    # Keys

    def key(self, where, name):
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
        number = 1 << 49 | RANDOM.randrange(10**11, 10**12) << 9 | RANDOM.randrange(512)
        id = "AKIA" + "".join(alphabet[number >> 5 * i & 31] for i in range(9, -1, -1)) + "".join(RANDOM.choice(alphabet) for _ in range(6))
        secret = ""
        while not re.search(r"\d", secret):
            secret = base64.b64encode(RANDOM.randbytes(30)).decode()
        self.planted.append({"id": id, "where": where, "repository": f"{OWNER}/{name}"})
        return f"aws_access_key_id = {id}\naws_secret_access_key = {secret}\n"

    def commit(self, name, ref, files, parent="refs/heads/main", message="Change it"):
        """Commits files (None removes one) on top of parent, and returns the id."""
        at = self.path(name)
        had = self.git(at, "rev-parse", "-q", "--verify", parent, check=False)
        when = int(self.clock.timestamp())
        text = f"commit {ref}\ncommitter {WHO} {when} +0000\ndata {len(message)}\n{message}\n"
        if had:
            text += f"from {had}\n"
        for file, content in files.items():
            text += f"D {file}\n" if content is None else f"M 100644 inline {file}\ndata {len(content.encode())}\n{content}\n"
        self.git(at, "fast-import", "--quiet", "--force", stdin=(text + "\ndone\n").encode())
        return self.git(at, "rev-parse", ref)

    def plant(self, where, name):
        """Puts a key where the name of the place says."""
        file = f"config/{where.replace(' ', '-')}.ini"
        main, text = "refs/heads/main", self.key(where, name)
        at = self.path(name)
        if where in ("HEAD", "archived", "private", "renamed", "fork's own commit", "push"):
            self.commit(name, main, {file: text})
        elif where == "history":
            self.commit(name, main, {file: text})
            self.commit(name, main, {file: None}, message="Remove it")
        elif where == "branch":
            self.commit(name, "refs/heads/feature/one", {file: text})
        elif where == "pull request":
            self.commit(name, "refs/pull/100001/head", {file: text})
        elif where == "tag message":
            when = int(self.clock.timestamp())
            tag = f"tag planted\nfrom {self.git(at, 'rev-parse', main)}\ntagger {WHO} {when} +0000\ndata {len(text)}\n{text}\ndone\n"
            self.git(at, "fast-import", "--quiet", stdin=tag.encode())
        elif where == "forced away":
            had = self.git(at, "rev-parse", main)
            lost = self.commit(name, main, {file: text})
            self.git(at, "update-ref", main, had)
            self.find(name).setdefault("activity", []).append(
                {"id": RANDOM.randrange(1 << 40), "node_id": "PSH", "before": lost, "after": had, "ref": main, "activity_type": "force_push",
                 "timestamp": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")})
        elif where == "wiki":
            self.init(f"{name}.wiki")
            self.commit(f"{name}.wiki", main, {"Home.md": text})
            self.find(name)["wiki"] = True
        elif where == "issue comment":
            self.find(name).setdefault("comments", []).append({"id": len(self.planted), "body": text, "updated_at": self.now()})
        else:
            raise ValueError(where)

    # The list

    def now(self):
        return self.clock.strftime("%Y-%m-%dT%H:%M:%SZ")

    def find(self, name):
        return next(r for r in self.repositories if r["name"] == f"{OWNER}/{name}")

    def add(self, name, **more):
        self.clock += datetime.timedelta(minutes=self.rand.randrange(5, 300))
        self.repositories.append({"id": 1000 + len(self.repositories), "name": f"{OWNER}/{name}", "pushed": self.now(), "size": 1, **more})

    def pushed(self, name):
        r = self.find(name)
        last = max(datetime.datetime.fromisoformat(one["pushed"].replace("Z", "+00:00")) for one in self.repositories)
        self.clock = last + datetime.timedelta(minutes=1)
        r["pushed"] = self.now()


def slices(org, sources):
    """Yields (name, source, folder, commits) from folders that changed often, of each source in turn."""
    pools = []
    for source in sources:
        head = org.git(source, "rev-parse", "HEAD")
        kinds = [line.split("\t") for line in org.git(source, "ls-tree", "-d", head).splitlines()]
        folders = [name for _, name in kinds if not name.startswith(".")]
        for big in list(folders):
            folders += [name for name in org.git(source, "ls-tree", "-d", "--name-only", head, f"{big}/").splitlines()]
        org.rand.shuffle(folders)
        # Of the last commits alone: git would look at each of them for each folder.
        last = org.git(source, "rev-list", "--first-parent", "-n", "1500", "HEAD").split()[-1]
        pools.append((source, last, folders))
    while any(folders for *_, folders in pools):
        for source, since, folders in pools:
            while folders:
                folder = folders.pop()
                commits = org.git(source, "rev-list", "--first-parent", f"{since}..HEAD", "--", folder).split()
                if len(commits) < 12:
                    continue
                commits = commits[: org.rand.randrange(12, 400)][::-1]
                project = source.parent.name if source.name in ("repo", "repo.git") else source.stem
                name = f"{project.split('+')[-1]}-{folder}".replace("/", "-").replace(" ", "-")
                yield re.sub(r"[^A-Za-z0-9._-]", "", name), source, folder, commits
                break


PLANTS = {  # where: in how many repositories
    "HEAD": 20, "history": 20, "branch": 10, "pull request": 10, "tag message": 5, "forced away": 10, "wiki": 5, "issue comment": 5,
}


def make(org, sources, own, forks):
    whole = [s for s in sources if sum(f.stat().st_size for f in s.rglob("*.pack")) < 80 << 20]
    names = []
    for source in whole:
        name = source.parent.name.split("+")[-1] if source.name == "repo" else source.stem
        try:
            org.whole(name, source)
            names.append(name)
        except RuntimeError as e:
            print(f"left out: {e}", file=sys.stderr)
    for name, source, folder, commits in slices(org, [s for s in sources if s not in whole]):
        if len(names) == own:
            break
        try:
            org.slice(name, source, folder, commits)
            names.append(name)
        except RuntimeError as e:  # the copy at hand is not complete
            print(f"left out: {name}: {e}", file=sys.stderr)
            shutil.rmtree(org.path(name))
    parents = org.rand.sample(names, min(len(names), forks // 2))
    for name in names:
        org.add(name, size=sum(f.stat().st_size for f in org.path(name).rglob("*.pack")) >> 10)
    pool = names[:]
    org.rand.shuffle(pool)
    for where, count in PLANTS.items():
        for _ in range(count):
            org.plant(where, pool.pop())
    for where, flag in (("archived", "archived"), ("private", "private")):
        for _ in range(5):
            name = pool.pop()
            org.find(name)[flag] = True
            org.plant(where, name)
    # GitHub lists a repository by its new name, and answers at the old one with a redirect: it
    # is met when it is renamed between the listing and the clone.
    for _ in range(2):
        name = pool.pop()
        org.plant("renamed", name)
        org.path(name).rename(org.path(f"{name}-now"))
        org.find(name)["renamed"] = f"{OWNER}/{name}-now"
        if name in parents:
            parents.remove(name)
    make_forks(org, parents, forks)
    for n in range(4):
        org.add(f"empty-{n}")
        org.init(f"empty-{n}")
    for n in range(2):
        org.add(f"missing-{n}", broken="missing")
        org.add(f"failing-{n}", broken="server")
        damaged(org, f"damaged-{n}", pool.pop())


def make_forks(org, parents, forks):
    """Forks: some behind, some with commits of their own, some forced."""
    for n in range(forks):
        parent = parents[n % len(parents)]
        name = f"{parent}-fork{n // len(parents)}"
        org.fork(name, parent)
        org.add(name, parent=f"{OWNER}/{parent}", size=org.find(parent)["size"], private=org.find(parent).get("private", False))
        if n % 5 == 1:
            org.git(org.path(name), "update-ref", "refs/heads/main", "refs/heads/main~3")
        elif n % 5 == 2:
            org.plant("fork's own commit", name)
        elif n % 10 == 3:
            org.plant("forced away", name)


def damaged(org, name, like):
    """A copy of another repository, in whose pack some bytes are not what they were."""
    org.fork(name, like)
    org.git(org.path(name), "repack", "-q", "-a", "-d")
    pack = next(org.path(name).rglob("*.pack"))
    pack.chmod(0o600)
    data = bytearray(pack.read_bytes())
    for i in range(len(data) // 4, len(data), max(len(data) // 50, 1)):
        data[i] ^= 0xFF
    pack.write_bytes(data)
    org.add(name, broken="pack")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("sources", type=pathlib.Path, nargs="*")
    parser.add_argument("--own", type=int, default=205, help="repositories that are no forks")
    parser.add_argument("--forks", type=int, default=100)
    parser.add_argument("--push", action="store_true")
    parser.add_argument("--force", action="store_true")
    args = parser.parse_args()
    org = Organisation(args.out)
    if args.push or args.force:
        org.load()
        plain = [r["name"].split("/")[1] for r in org.repositories if not {"broken", "renamed", "parent"} & r.keys() and not r["name"].startswith(f"{OWNER}/empty")]
        name = plain[len(org.planted) % len(plain)]
        org.pushed(name)
        org.plant("push" if args.push else "forced away", name)
        print(name)
    else:
        if not args.sources:
            parser.error("name bare clones to make repositories of")
        args.out.mkdir(parents=True, mode=0o700)
        make(org, [s.resolve() for s in args.sources], args.own, args.forks)
        print(f"{len(org.repositories)} repositories, {len(org.planted)} keys")
    org.save()


if __name__ == "__main__":
    main()
