"""Firmware: an image comes in blocks, is verified, and becomes active with a reboot (spec/04 §1.13, COSEM class 18).

Our images are CMS SignedData by the maker's SIG certificate (GWH) with the certificate attached; the content is
opaque. "Signed by the manufacturer (GWH) … SMGW verifies manufacturer signature before storing and before activation".
"""

import hashlib
from collections.abc import Callable
from datetime import datetime

from torwart.kernel.refusals import Refusal
from torwart.sim.attached import attached_certificate
from torwart.sim.gateway.core import Core
from torwart.sim.gateway.event import EventKind
from torwart.sim.gateway.fault import Fault
from torwart.sim.gateway.management import Reboot
from torwart.wire import cms
from torwart.wire.certificate import Role, Trust, Use, load_certificate
from torwart.wire.cms.keys import public_key_of
from torwart.wire.cosem.resources import ActionResult, application_error
from torwart.wire.smgw.model import Firmware, ImageActivation, ImageBlock, ImageStart, ImageState, ImageStatus

BLOCK_SIZE = 16 * 1024
LARGEST = 64 * 2**20


class FirmwareStore:
    """The inactive partition. ``reboot`` restarts the device; blocks that came before a power cut are lost."""

    __slots__ = ("_blocks", "_core", "_reboot", "_size", "identifier", "state", "why")

    def __init__(self, core: Core, reboot: Callable[[], None]) -> None:
        self._core = core
        self._reboot = reboot
        self.forget()

    def forget(self) -> None:
        """Power cut: an unfinished image is gone."""
        self._blocks: list[bytes] = []
        self._size = 0
        self.identifier = ""
        self.state = ImageState.IDLE
        self.why = ""

    @property
    def firmware(self) -> Firmware:
        memory = self._core.memory
        digest = bytes.fromhex(memory.firmware_digest or hashlib.sha256(memory.firmware.encode()).hexdigest())
        return Firmware(memory.firmware, digest, self.identifier)

    @property
    def status(self) -> ImageStatus:
        return ImageStatus(self.state, self.identifier, BLOCK_SIZE, len(self._blocks), self.why)

    def initiate(self, start: ImageStart) -> ImageStatus:
        """A new transfer, or the same one continued where it stands."""
        if not 0 < start.size <= LARGEST:
            raise application_error(ActionResult.SCOPE_VIOLATED, f"1 to {LARGEST} octets")
        if (start.identifier, start.size) != (self.identifier, self._size) or self.state is not ImageState.TRANSFER:
            self.forget()
            self.identifier, self._size, self.state = start.identifier, start.size, ImageState.TRANSFER
        return self.status

    def block(self, block: ImageBlock) -> None:
        """The next block; one that is there already is taken again without harm."""
        if Fault.REBOOT_IN_FIRMWARE in self._core.faults:
            self._core.faults.discard(Fault.REBOOT_IN_FIRMWARE)
            raise Reboot
        last = -(-self._size // BLOCK_SIZE) - 1
        wanted = BLOCK_SIZE if block.number < last else self._size - last * BLOCK_SIZE
        if self.state is not ImageState.TRANSFER or block.number > min(len(self._blocks), last):
            raise application_error(ActionResult.SCOPE_VIOLATED, f"block {len(self._blocks)} is missing")
        if len(block.octets) != wanted:
            raise application_error(ActionResult.TYPE_UNMATCHED, f"block {block.number} has {wanted} octets")
        if block.number == len(self._blocks):
            self._blocks.append(block.octets)

    def verify(self) -> ImageStatus:
        """Complete, and signed by a maker that the gateway's PKI knows."""
        image = b"".join(self._blocks)
        if len(image) != self._size or self.state not in (ImageState.TRANSFER, ImageState.VERIFIED):
            raise application_error(ActionResult.TEMPORARY_FAILURE, f"block {len(self._blocks)} is missing")
        self.state, self.why = ImageState.VERIFIED, ""
        try:
            if Fault.FIRMWARE_HASH in self._core.faults:
                raise application_error(ActionResult.HARDWARE_FAULT, "hash of the image differs")
            if Fault.FIRMWARE_SIGNATURE in self._core.faults:
                image = image[:-1] + bytes((image[-1] ^ 1,))
            self._check(image)
        except Refusal as error:
            self.state, self.why = ImageState.VERIFICATION_FAILED, str(error)[:200]
            self._core.log(EventKind.FIRMWARE_REFUSED, self.why)
        return self.status

    def _check(self, image: bytes) -> None:
        certificate = attached_certificate(image)
        if certificate is None:
            raise application_error(ActionResult.TYPE_UNMATCHED, "the image bears no maker's signature")
        known = [load_certificate(der) for der in self._core.memory.rules.trust]
        roots = [c for c in known if c.subject == c.issuer]
        trust = Trust.of(roots[0], [c for c in known if c.subject != c.issuer])
        trust.validate(certificate, at=self._core.clock.now(), role=Role.GWH, use=Use.SIG)
        cms.verify(image, signers={cms.ski_of(certificate): public_key_of(certificate)})

    def activate(self, order: ImageActivation) -> None:
        """Reboot into the verified image at the ordered time, at once by default."""
        if self.state is not ImageState.VERIFIED:
            raise application_error(ActionResult.TEMPORARY_FAILURE, "no verified image")
        self.state = ImageState.ACTIVATING
        now: datetime = self._core.clock.now()
        wait = (order.at - now).total_seconds() if order.at else 0.0
        self._core.after(max(wait, 0.5), self._switch)

    def _switch(self) -> None:
        core = self._core
        if Fault.FIRMWARE_OLD not in core.faults:
            core.memory.firmware = self.identifier
            core.memory.firmware_digest = hashlib.sha256(b"".join(self._blocks)).hexdigest()
            core.log(EventKind.FIRMWARE_ACTIVATED, self.identifier)
        self._reboot()
