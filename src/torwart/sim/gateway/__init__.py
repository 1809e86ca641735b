"""The simulated smart meter gateway: the other half of every conversation the product has, faults included.

It shares no decision code with the head-end beyond the codecs of ``torwart.wire`` (spec/04, "What decides our
design", 5): what the gateway accepts, refuses, keeps and sends is decided here, from the standards, a second time.
"""
