"""Every address of the web."""

from django.urls import include, path

from torwart.faces._design import views as design
from torwart.faces.account import views as account

urlpatterns = [
    path("", account.start, name="start"),
    path("konto/", include("torwart.faces.account.urls")),
    path("portal/", include("torwart.faces.portal.urls")),
    path("konsole/", include("torwart.faces.console.urls")),
    path("schnittstelle/", include("torwart.faces.emt_api.pages")),
    path("barrierefreiheit/", design.accessibility, name="accessibility"),
    path("design/", design.catalogue, name="catalogue"),
]

handler400 = "torwart.faces._design.views.bad_request"
handler403 = "torwart.faces._design.views.refused"
handler404 = "torwart.faces._design.views.not_found"
handler500 = "torwart.faces._design.views.failed"
