"""Accounts: signing in, second factor, sessions, invitations, credentials that became known (P-4, P-5).

django-allauth does the hard part (passwords, TOTP, passkeys, limits); its pages are ours, and of its addresses only
those in ``urls`` can be reached. What is written down is written by ``services.user`` and ``services.access``.
"""
