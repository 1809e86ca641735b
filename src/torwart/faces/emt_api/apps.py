"""The interface as a Django app, for its pages in the web."""

from django.apps import AppConfig


class EmtApi(AppConfig):
    name = "torwart.faces.emt_api"
    label = "emt_api"
