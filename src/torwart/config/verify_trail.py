"""Checks an exported audit trail without anything of ours: python3 verify_trail.py FILE [SEQ:HASH …]

HASH is the published head (64 hex digits) of link SEQ. Prints the last link, or the first broken one and exits with 1.
"""

import hashlib
import json
import sys
from typing import Any


def canonical(v: Any) -> Any:
    if isinstance(v, dict):
        v = {k: canonical(v[k]) for k in sorted(v, key=lambda k: k.encode("utf-16-be"))}
    return [canonical(each) for each in v] if isinstance(v, list) else v


heads = {int(seq): head for seq, head in (argument.split(":") for argument in sys.argv[2:])}
seq, head = 0, "0" * 64
for line in open(sys.argv[1], encoding="utf-8"):  # noqa: SIM115
    row = json.loads(line)
    seq += 1
    said = {"entry": row["entry"], "previous": head, "seq": seq}
    head = hashlib.sha256(json.dumps(canonical(said), ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()
    if (row["seq"], row["hash"]) != (seq, head) or heads.pop(seq, head) != head:
        sys.exit(f"broken at link {seq}")
sys.exit(f"ends before published link {max(heads)}" if heads else print("intact", seq, head))
