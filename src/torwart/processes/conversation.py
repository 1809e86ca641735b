"""Talking with one gateway: questions of the object model, protected end to end, told in the transcript.

The head-end only carries bytes. Content is CMS for the gateway's ENC certificate, signed with the client's GWA key;
answers are believed only from the SIG certificate we have configured for this gateway (seal before the exchange of
certificates, operational after it).
"""

import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from cryptography import x509

from torwart.kernel.identifiers import DeviceId
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.process import STEP_REFUSED
from torwart.ports.gateway_link import Answer, Command
from torwart.services import administrator, transcript
from torwart.services import certificate as certificates
from torwart.services import gateway as gateways
from torwart.wire import cms
from torwart.wire.certificate import Use
from torwart.wire.cms.keys import public_key_of
from torwart.wire.cosem import Request, Response
from torwart.wire.smgw import Question, Smgw

if TYPE_CHECKING:
    from torwart.processes.telling import World

T = TypeVar("T")

_TOO_SLOW = 408
"""The one 4xx that says "later" and not "no" (A2 §7.3.1.9)."""


@dataclass
class Conversation:
    """The exchanges of one telling with one gateway. ``smgw`` makes the questions, ``ask`` asks them.

    What our data say of the gateway is looked up once and again after each write (``look_again``).
    """

    world: "World"
    run_id: str
    gateway: str
    _said: list[transcript.Said] = field(default_factory=list, repr=False)

    @cached_property
    def device(self) -> gateways.Device:
        return gateways.get(self.gateway)

    @cached_property
    def smgw(self) -> Smgw:
        return Smgw(DeviceId(self.gateway))

    @cached_property
    def theirs(self) -> dict[Use, x509.Certificate]:
        """The gateway's configured certificates: operational if it has active ones, else its seal certificates."""
        operational = certificates.of_gateway(self.device, "active", seal=False)
        return operational or certificates.of_gateway(self.device, "active", seal=True)

    def ask(self, purpose: str, question: Question[T]) -> T:
        """The answer, opened and read.

        Raises ``process.step_refused`` for a plain no (4xx), ``cosem.…`` for what else is no success, ``cms.…`` for
        content whose protection fails, ``gateway.…`` if there is no answer.
        """
        return self.read(purpose, question, self.exchange(purpose, question))

    def read(self, purpose: str, question: Question[T], response: Response) -> T:
        """The answer of a response, opened and read; refuses as ``ask`` does."""
        if 400 <= response.status < 500 and response.status not in (404, _TOO_SLOW):
            raise STEP_REFUSED(gateway=self.gateway, what=purpose, status=response.status)
        return question.answer(response, self.open)

    def exchange(self, purpose: str, question: Question[T]) -> Response:
        """Send a question, protected; the response as it came."""
        request = question.protected(self._protect)
        command = _command(request)
        began, at = time.monotonic(), self.world.clock.now()
        answer, code = Answer(), ""
        try:
            answer = self.world.link.exchange(self.gateway, command)
        except Refusal as refusal:
            code = refusal.code
            raise
        finally:
            said = transcript.Said(
                at=at,
                purpose=purpose,
                line=f"{command.method} {command.target}",
                head=command.headers,
                body=command.body,
                status=answer.status,
                code=code,
                answer_head=answer.headers,
                answer=answer.body,
                milliseconds=round((time.monotonic() - began) * 1000),
            )
            self._said.append(said)
        return Response(answer.status, answer.headers, answer.body)

    def open(self, body: bytes) -> bytes:
        """Open protected content from this gateway, of a response or a notification."""
        signer = self.theirs[Use.SIG]
        key = administrator.key(self.world.keys, self.device.client_id, Use.ENC)
        return cms.open_protected(body, agreer=key, signers={cms.ski_of(signer): public_key_of(signer)}).content

    def look_again(self) -> None:
        """Our data have changed: forget what was looked up."""
        self.__dict__.pop("device", None)
        self.__dict__.pop("theirs", None)

    def keep(self) -> None:
        """Write what was said into the transcript."""
        if self._said:
            transcript.keep(self.run_id, self.device, self._said)
            self._said.clear()

    def _protect(self, content: bytes) -> bytes:
        key = administrator.key(self.world.keys, self.device.client_id, Use.SIG)
        return cms.protect(content, signer=key, recipient=cms.Recipient.of(self.theirs[Use.ENC]))


def _command(request: Request) -> Command:
    headers = {**request.headers, "Content-Length": str(len(request.body))}
    return Command(method=request.method, target=request.target, headers=headers, body=request.body)
