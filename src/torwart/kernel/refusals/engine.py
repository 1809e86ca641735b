"""Refusals of the durable engine. Most of them are mistakes in a story, found at its first step that is wrong."""

from torwart.kernel.refusals import Retry, Side, kind

ENGINE_UNKNOWN_STORY = kind(
    "engine.unknown_story",
    de="Der Prozess „{story}“ ist diesem Worker unbekannt. Bringen Sie alle Worker auf denselben Stand; der Lauf wird "
    "danach fortgesetzt.",
    en="The process '{story}' is unknown to this worker. Bring all workers to the same version; the run goes on then.",
    side=Side.OURS,
    retry=Retry.LATER,
)
ENGINE_UNKNOWN_QUEUE = kind(
    "engine.unknown_queue",
    de="Es gibt keine Arbeitsklasse „{queue}“; es gibt {known}.",
    en="There is no class of work '{queue}'; there are {known}.",
    side=Side.OURS,
)
ENGINE_STEP_TWICE = kind(
    "engine.step_twice",
    de="Der Prozess „{story}“ nennt zwei Schritte „{step}“; in Schleifen gehört der Zähler in den Namen.",
    en="The process '{story}' names two steps '{step}'; in loops the index belongs into the name.",
    side=Side.OURS,
)
ENGINE_NOT_JSON = kind(
    "engine.not_json",
    de="Das Ergebnis von „{step}“ lässt sich nicht als JSON aufheben: {why}",
    en="The result of '{step}' cannot be kept as JSON: {why}",
    side=Side.OURS,
)
ENGINE_CRASHES = kind(
    "engine.crashes",
    de="Der Prozess „{story}“ hat seinen Worker {times}-mal hintereinander mitgerissen, ohne einen Schritt zu beenden.",
    en="The process '{story}' took its worker down {times} times in a row without finishing a step.",
    side=Side.OURS,
)
