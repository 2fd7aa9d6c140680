"""The operator's identity behaves as that of the AWS CLI, and the printed policies serve their purpose."""
import json
import os

from stage import EXTERNAL_ID, OPERATIONS, Incident
from world import policy


class Identity(Incident):
    def inventory(self, env=None, *flags):
        self.world.requests.clear()
        return self.run_stanch("inventory", "-o", self.path("inventory.jsonl"), *flags, env=env)

    def hosts(self):
        return {call.host for call in self.world.requests}

    def configure(self, text):
        os.makedirs(self.path(".aws"), exist_ok=True)
        with open(self.path(".aws/config"), "w") as file:
            file.write(text)

    def without(self, *names, **more):
        return {name: value for name, value in {**self.signed_in, **more}.items() if name not in names}

    def test_bundle_in_the_environment(self):
        self.assertCode(0, self.inventory(self.without("SSL_CERT_FILE", AWS_CA_BUNDLE=self.stage.certificate)))

    def test_bundle_in_the_configuration(self):
        self.configure(f"[default]\nca_bundle={self.stage.certificate}\nregion=eu-west-1\n")
        self.assertCode(0, self.inventory(self.without("SSL_CERT_FILE")))

    def test_no_bundle(self):
        self.assertCode(3, self.inventory(self.without("SSL_CERT_FILE")))

    def test_fips(self):
        self.world.fips = True
        self.assertCode(0, self.inventory(self.without(AWS_USE_FIPS_ENDPOINT="true")))
        self.assertIn("iam-fips.amazonaws.com", self.hosts())

    def test_endpoint_of_a_service(self):
        host = "vpce-1.iam.us-east-1.vpce.amazonaws.com"
        self.world.endpoints["iam"] = host
        self.assertCode(0, self.inventory(self.without(AWS_ENDPOINT_URL_IAM=f"https://{host}")))
        self.assertIn(host, self.hosts())

    def test_endpoint_does_not_move_a_leaked_key(self):
        """The scan asks STS itself about a leaked key, whatever the operator has configured."""
        key = self.production.user("deploy").keys[0]
        folder = self.repository({"a.env": f"AWS_ACCESS_KEY_ID={key.id}\nAWS_SECRET_ACCESS_KEY={key.secret}\n"})
        self.run_stanch("git", folder, env=self.environment(AWS_ENDPOINT_URL_STS="https://sts.example.com", AWS_ENDPOINT_URL="https://all.example.com"))
        self.assertEqual({"sts.us-east-1.amazonaws.com"}, self.hosts())

    def test_sts_of_the_region(self):
        key = self.production.user("deploy").keys[0]
        self.scan(key)
        self.world.requests.clear()
        self.plan(env=self.without(AWS_REGION="eu-west-1"))
        own = {call.host for call in self.world.requests if call.key_id == self.operator.keys[0].id and call.service == "sts"}
        self.assertEqual({"sts.eu-west-1.amazonaws.com"}, own)

    def profiles(self):
        key = self.operator.keys[0]
        self.operator.account.role("ops")
        role = f"role_arn=arn:aws:iam::{OPERATIONS}:role/ops\nsource_profile=base\nregion=us-east-1\n"
        process = f'{{\\"Version\\":1,\\"AccessKeyId\\":\\"{key.id}\\",\\"SecretAccessKey\\":\\"{key.secret}\\"}}'
        self.configure(f"[profile base]\naws_access_key_id={key.id}\naws_secret_access_key={key.secret}\nregion=us-east-1\n"
                       f"[profile chain]\n{role}[profile mfa]\n{role}mfa_serial=arn:aws:iam::{OPERATIONS}:mfa/olga\n"
                       f"[profile process]\ncredential_process=sh -c 'echo \"{process}\"'\n")
        return self.without("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")

    def test_profiles(self):
        env = self.profiles()
        for profile in ("base", "chain", "process"):
            self.assertCode(0, self.inventory(env, "--profile", profile))

    def test_mfa_without_a_terminal(self):
        run = self.inventory(self.profiles(), "--profile", "mfa")
        self.assertCode(3, run)
        self.assertSays(run, "MFA")
        self.assertFalse(run.lines("AssumeRoleTokenProvider"), str(run))

    def test_no_such_profile(self):
        run = self.inventory(self.profiles(), "--profile", "missing")
        self.assertCode(3, run)
        self.assertSays(run, "missing")


class TrustPolicy(Incident):
    """Judges the trust policy that `respond policy --trust` prints."""

    USER, ROLE = (f"arn:aws:iam::{OPERATIONS}:{principal}" for principal in ("user/olga", "role/ops"))

    def trusts(self, action, flags, **context):
        printed = self.run_stanch("respond", "policy", "--trust", *flags)
        self.assertCode(0, printed)
        values = {"sts:externalid": EXTERNAL_ID, **{name.replace("__", ":").lower(): value for name, value in context.items()}}
        statements = json.loads(printed.out)["Statement"]
        return any(s["Effect"] == "Allow" and policy.applies(s, action, "*", values) for s in statements)

    def test_with_mfa(self):
        flags = ["--principal", self.USER, "--external-id", EXTERNAL_ID]
        self.assertTrue(self.trusts("sts:AssumeRole", flags, aws__MultiFactorAuthPresent="true"))
        self.assertFalse(self.trusts("sts:AssumeRole", flags, aws__MultiFactorAuthPresent="false"))
        self.assertFalse(self.trusts("sts:AssumeRole", flags))

    def test_without_mfa(self):
        flags = ["--principal", self.ROLE, "--external-id", EXTERNAL_ID]
        self.assertTrue(self.trusts("sts:AssumeRole", flags))
        self.assertFalse(self.trusts("sts:AssumeRole", flags, sts__externalid="another"))

    def test_oidc(self):
        provider, subject = "token.actions.githubusercontent.com", "repo:acme/ops:ref:refs/heads/main"
        flags = ["--oidc", provider, "--subject", subject]
        token = {provider + "__aud": "sts.amazonaws.com", provider + "__sub": subject}
        self.assertTrue(self.trusts("sts:AssumeRoleWithWebIdentity", flags, **token))
        self.assertFalse(self.trusts("sts:AssumeRoleWithWebIdentity", flags, **{**token, provider + "__sub": "repo:evil/ops:ref:refs/heads/main"}))
