"""Refuses parameters that a route does not have, in the address or in a form, as JSON bodies do.

Knows what routes declare; knows nothing of what they do. A slip must not go unseen: with `reader=hr` for
`readers=hr` a file would be for everyone, with `colection=drafts` a document would be deleted in `default`.
"""

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.params import Form


async def refuse_unknown(request: Request) -> None:
    """A dependency of routes. Raises RequestValidationError, which names each unknown parameter."""
    declared = request.scope["route"].dependant
    unknown = [("query", name) for name in request.query_params if name not in _names(declared.query_params)]
    if any(isinstance(field.field_info, Form) for field in declared.body_params):
        # Read already, for the parameters of the route.
        form = await request.form()
        unknown += [("body", name) for name in form if name not in _names(declared.body_params)]
    if unknown:
        raise RequestValidationError(
            [
                {"type": "extra_forbidden", "loc": place, "msg": "Extra inputs are not permitted"}
                for place in unknown
            ]
        )


def _names(fields) -> set[str]:
    return {field.alias for field in fields}
