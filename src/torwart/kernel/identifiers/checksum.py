"""Check digits, each as a pure function: body without check digit in, the right last character out."""

_EIC_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"


def a10(body: str) -> str:
    """The A10 rule of BDEW and DVGW, letters counting with their ASCII value.

    BDEW-Anwendungshilfe „Identifikatoren in der Marktkommunikation“ §6.2: sum of the characters in odd positions
    plus twice the sum of those in even positions (from the left, no cross sums); the check digit fills the sum up
    to the next multiple of ten.
    """
    values = [int(c) if c.isdigit() else ord(c) for c in body]
    return str(-(sum(values[::2]) + 2 * sum(values[1::2])) % 10)


def ean13(body: str) -> str:
    """GS1 General Specifications §7.9: weights 1 and 3 alternating from the left over twelve digits."""
    values = [int(c) for c in body]
    return str(-(sum(values[::2]) + 3 * sum(values[1::2])) % 10)


def eic(body: str) -> str:
    """EIC Reference Manual (ENTSO-E): weights 16 down to 2, modulo 37; the hyphen counts 36."""
    weighted = sum(weight * _EIC_ALPHABET.index(c) for weight, c in zip(range(16, 1, -1), body, strict=True))
    return _EIC_ALPHABET[36 - (weighted - 1) % 37]


def luhn(body: str) -> str:
    """Luhn (ISO/IEC 7812-1 Annex B) over the digits of ``body``: finds every wrong digit, almost every swap."""
    total = 0
    for place, digit in enumerate(c for c in reversed(body) if c.isdigit()):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)
