"""The client's portal: order, follow, answer; its own devices, notes, contacts and nobody else's (P-1).

Rules of this face
1. What a page shows comes from ``store.queries`` with the person's client first; what it changes goes through
   ``services`` and ``processes.ordering``.
2. No process is named here: forms, start pages, check pages and maps are drawn from the definitions.
3. Every action is a form that works without JavaScript: POST, then a redirect. htmx only saves reloading.
"""
