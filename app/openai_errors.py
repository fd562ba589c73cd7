"""Errors as OpenAI's clients read them, for the routes that such clients call.

Knows OpenAI's shape of an error and the paths that use it; knows nothing of our errors.
"""

from http import HTTPStatus

OPENAI_PATHS = ("/v1/models", "/v1/chat/")
"""What begins so is answered in OpenAI's shapes."""
_TYPES = {
    HTTPStatus.UNAUTHORIZED: "authentication_error",
    HTTPStatus.FORBIDDEN: "permission_error",
    HTTPStatus.TOO_MANY_REQUESTS: "rate_limit_error",
}


def openai_error(status: int, code: str, message: str, remedy: str = "") -> dict:
    """`{"error": {"message", "type", "param", "code"}}`: the code is ours, the remedy ends the message."""
    kind = "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"
    return {
        "error": {
            "message": f"{message} ({remedy})" if remedy else message,
            "type": _TYPES.get(HTTPStatus(status), kind),
            "param": None,
            "code": code,
        }
    }
