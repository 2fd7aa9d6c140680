"""An intruder, who uses leaked keys by boto3 from an address of its own."""
import threading

import botocore.config
import botocore.exceptions
import botocore.session

ADDRESS = "203.0.113.9"
_session, _building = botocore.session.Session(), threading.Lock()  # which keeps the models; it makes one client at a time


class Intruder:
    def __init__(self, incident, key, token=None):
        """key is a Key of the world, or a session, which has a token."""
        self.incident, self.world = incident, incident.world
        self.id, self.secret, self.token = getattr(key, "access_key", None) or key.id, key.secret, token or getattr(key, "token", None)

    @property
    def caller(self):
        return self.world.sessions[self.id]

    def client(self, service):
        incident = self.incident
        with _building:
            client = _session.create_client(
                service, region_name=incident.region, aws_access_key_id=self.id, aws_secret_access_key=self.secret, aws_session_token=self.token,
                verify=incident.stage.certificate, config=botocore.config.Config(retries={"total_max_attempts": 1}))
        client.meta.events.register("before-sign", lambda request, **_: request.headers.add_header("X-World-Address", ADDRESS))
        return client

    def call(self, service, operation, **params):
        return getattr(self.client(service), operation)(**params)

    def tries(self, service, operation, **params):
        """The answer, or None if AWS refuses."""
        try:
            return self.call(service, operation, **params)
        except botocore.exceptions.ClientError:
            return None

    def as_session(self, answer):
        credentials = answer["Credentials"]
        return Intruder(self.incident, self.world.sessions[credentials["AccessKeyId"]])

    def assume(self, role):
        return self.as_session(self.call("sts", "assume_role", RoleArn=role.arn, RoleSessionName="intruder"))

    def session(self):
        return self.as_session(self.call("sts", "get_session_token"))
