"""How our pages look, speak and keep their doors: everything the portal, the console and the accounts share.

How to make a page
1. **View**, in ``faces/<face>/<noun>.py``: a function of the request, guarded by ``_design.access``. It reads through
   ``store.queries`` and acts through ``services`` or ``processes.ordering``; a ``Refusal`` becomes an error at a field
   or an alert (``said(refusal.kind.words, **refusal.details)`` is its text). Register it in the face's ``urls.py``::

       @client_only                                   # or may_order, provider_only, needs(Role.OPERATOR)
       def tickets(request: HttpRequest) -> HttpResponse:
           rows = queries.tickets_of(client_of(request))            # the only way to learn whose data it is (P-1)
           page = keyset.page(rows, order=("-id",), at=request.GET.get("seite"))
           return render(request, "portal/tickets.html", {"page": page})

   What does not exist, is another's or not for this role: ``raise Http404`` – all three look the same.
2. **Template**, in ``faces/<face>/templates/<face>/<noun>.html``: extends ``design/base.html`` (blocks ``title``,
   ``back``, ``content``, ``head_tools``, ``body_class``, ``head``; the console sets ``body_class`` to ``tw-dense``) or
   ``design/narrow.html`` (block ``page``, 640 px for reading and forms). It is built from components ``<c-…>``
   (``templates/cotton/``); ``/design/`` shows them all, its source is ``templates/design/catalogue.html``. Exactly one
   ``<h1>``, usually by ``<c-head title="…" lead="…" />``. No inline script or style: the content policy forbids both.
   Attributes are text; ``:rows="rows"`` passes a value, ``dense`` alone is true.
3. **Words**: ``{% t "Deutsch" "English" %}`` in templates, ``t("Deutsch", "English")`` of ``_design.language`` for
   labels in Python, ``{{ words|said }}`` for the kernel's ``Words``; times by ``{{ at|moment }}`` and ``{{ at|day }}``.
4. **Form**: a ``_design.forms.Form``; ``<c-errors :form="form" />`` on top, ``<c-field :field="form.name" />`` for each
   field, in ``<form method="post" class="tw-form" novalidate>{% csrf_token %}``. Pass it as ``form``, then the title
   says „Fehler:“. After a POST that worked: redirect, and say so with ``django.contrib.messages``.
5. **Live parts**: ``hx-get`` with ``hx-trigger="every 10s"`` on an element that is complete without it. The view
   answers the part alone where ``request.htmx`` is set.
6. **Navigation**: ``navigation.register("portal", Entry(t("Aufträge", "Orders"), "portal:orders", "list-check",
   CLIENT))`` in the face's ``AppConfig.ready``. Icons are those of ``static/torwart/vendor/tabler-icons/sprite.svg``.
7. **Test**, in ``tests/faces/<face>/test_<noun>.py``: with Django's ``Client`` and ``db`` for what a page says and whom
   it refuses, with literal query counts for lists; with ``chromium.open(path, user=person)`` and ``check_page(page)``
   of ``tests/support/browser.py`` for what it is to people: axe, both languages, 320 px, no script. Look at it, too.
"""
