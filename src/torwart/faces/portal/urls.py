"""Addresses of the portal, below ``/portal/``."""

from django.urls import path

from torwart.faces.portal import (
    access,
    approved_configuration,
    contact,
    delivery_note,
    draft,
    gateway,
    order,
    process,
    start,
    ticket,
)

app_name = "portal"
_ORDER, _DRAFT, _CONTACT = "auftraege/<str:number>", "bestellen/entwurf/<int:pk>", "ansprechpartner/<int:pk>"
urlpatterns = [
    path("", start.page, name="start"),
    path("bestellen/", draft.choose, name="order_choose"),
    path("bestellen/prozesse/", process.index, name="processes"),
    path("bestellen/prozesse/<slug:name>/", process.page, name="process"),
    path("bestellen/<slug:name>/", draft.begin, name="order_begin"),
    path(f"{_DRAFT}/", draft.tasks, name="draft"),
    path(f"{_DRAFT}/pruefen/", draft.check, name="draft_check"),
    path(f"{_DRAFT}/loeschen/", draft.delete, name="draft_delete"),
    path(f"{_DRAFT}/vorschau/", draft.preview, name="draft_preview"),
    path(f"{_DRAFT}/geraete/", draft.devices, name="draft_devices"),
    path(f"{_DRAFT}/seite/<slug:name>/", draft.fill, name="draft_page"),
    path("auftraege/", order.index, name="orders"),
    path(f"{_ORDER}/", order.page, name="order"),
    path(f"{_ORDER}/gesendet/", order.sent, name="order_sent"),
    path(f"{_ORDER}/stand/", order.state, name="order_state"),
    path(f"{_ORDER}/zurueckziehen/", order.withdraw, name="order_withdraw"),
    path(f"{_ORDER}/stornieren/", order.cancel, name="order_cancel"),
    path(f"{_ORDER}/termin/", order.choose, name="order_choose_time"),
    path(f"{_ORDER}/nachweis.<str:form>", order.evidence_file, name="order_evidence"),
    path("vorgaenge/", ticket.index, name="tickets"),
    path("vorgaenge/frage/", ticket.ask, name="ask"),
    path("vorgaenge/<str:number>/", ticket.page, name="ticket"),
    path("vorgaenge/<str:number>/dateien/<int:pk>", ticket.attachment, name="attachment"),
    path("geraete/", gateway.index, name="devices"),
    path("geraete/lieferscheine/", delivery_note.index, name="delivery_notes"),
    path("geraete/lieferscheine/<int:pk>/", delivery_note.page, name="delivery_note"),
    path("geraete/lieferscheine/<int:pk>/geraete.csv", delivery_note.as_csv, name="delivery_note_csv"),
    path("geraete/freigaben/", approved_configuration.index, name="configurations"),
    path("geraete/freigaben/liste.csv", approved_configuration.as_csv, name="configurations_csv"),
    path("geraete/freigaben/liste.pdf", approved_configuration.as_pdf, name="configurations_pdf"),
    path("geraete/<str:device_id>/", gateway.page, name="device"),
    path("ansprechpartner/", contact.index, name="contacts"),
    path("ansprechpartner/neu/", contact.add, name="contact_add"),
    path(f"{_CONTACT}/", contact.change, name="contact_change"),
    path(f"{_CONTACT}/austragen/", contact.deactivate, name="contact_deactivate"),
    path(f"{_CONTACT}/zertifikat/", contact.certificate, name="contact_certificate"),
    path(f"{_CONTACT}/test/", contact.test, name="contact_test"),
    path("ansprechpartner/zugriffe/", access.index, name="accesses"),
]
