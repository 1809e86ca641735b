"""The refusal of state machines: a verb that the present state does not allow."""

from torwart.kernel.refusals import Retry, Side, kind

NOT_ALLOWED = kind(
    "state.not_allowed",
    de="{subject_de}: „{verb_de}“ geht nicht im Zustand „{state_de}“. Möglich ist hier: {allowed_de}.",
    en="{subject_en}: “{verb_en}” is not possible in state “{state_en}”. Possible here: {allowed_en}.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="spec/02 (state of a run); spec/04 §1.13",
)
