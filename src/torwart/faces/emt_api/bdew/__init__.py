"""The BDEW dialect of the interface (spec/07 point 11): the same orders in the manner of the API-Webdienste of
EDI@Energy. Whatever is taken is 202 without a body; answers are calls of ours to the partner (docs/api/bdew.md).

api          the dialect as one object: routers, description, how what is wrong is told
order        one address a process
description  headers, refusals and our answering calls, as OpenAPI says it
"""
