"""The one error tree.

    AttestError
    ├── InputError            what the caller gave is wrong (400)
    │   ├── NotFoundError     no such thing, or not yours to see (404)
    │   └── ConflictError     the thing is there already, or in use (409)
    ├── AccessError           who asks is unknown (401) or may not (403)
    ├── FileError             one file cannot be ingested; the others go on
    ├── ServiceError          a service that is needed is not reachable (503)
    │   ├── BusyError         as much waits as may wait (429)
    │   ├── StoreError        Milvus or the ledger does not answer
    │   │   ├── StoreLockedError   another process owns the Lite store
    │   │   └── TamperedError      what is stored was changed by somebody else
    │   ├── ChatModelError    the model server fails
    │   │   ├── BudgetSpentError   a question may ask no more of the model
    │   │   └── ChatRequestError   it refuses this request, as another one would (502)
    │   ├── EmbedderError     the embedding server or model fails
    │   ├── RerankerError     the reranking server or model fails
    │   ├── GuardError        a guard's bigger model fails
    │   ├── ToolError         a tool fails or takes too long
    │   └── ModelFileError    weights are missing or damaged
    └── SettingsError         the settings cannot be used together (2 at the CLI)

Every error names the thing in its message and the mending command in `remedy`.
`retryable` says whether the same call may succeed later without a change.
"""


from core.addresses import hide_credentials


class AttestError(Exception):
    """The root. `str(error)` is one sentence a user can read. Passwords in addresses are left out of it."""

    code = "error"
    retryable = False

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(hide_credentials(message))
        self.remedy = hide_credentials(remedy)

    @property
    def message(self) -> str:
        """What went wrong, without the remedy."""
        return str(self.args[0])

    def __str__(self) -> str:
        return f"{self.message.rstrip('.')}. {self.remedy}" if self.remedy else self.message


class InputError(AttestError):
    """What the caller gave cannot be used."""

    code = "bad_input"


class NotFoundError(InputError):
    """No such thing, or the caller may not know that there is."""

    code = "not_found"


class ConflictError(InputError):
    """The thing exists already or is in use."""

    code = "conflict"


class AccessError(AttestError):
    """The caller is unknown (`authenticated=False`) or lacks the right."""

    code = "access_denied"

    def __init__(self, message: str, *, remedy: str = "", authenticated: bool = False) -> None:
        super().__init__(message, remedy=remedy)
        self.authenticated = authenticated


class FileError(AttestError):
    """One file cannot be ingested. `code` is what stands in the list of failures."""

    code = "unreadable"

    def __init__(
        self, message: str, *, code: str = "unreadable", remedy: str = "", retryable: bool = False
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.code = code
        self.retryable = retryable


class ServiceError(AttestError):
    """Something that the work needs is not reachable."""

    code = "service_unavailable"
    retryable = True


class BusyError(ServiceError):
    """As much waits already as the settings allow."""

    code = "busy"


class StoreError(ServiceError):
    """The vector store or the ledger failed."""

    code = "store_unavailable"


class StoreLockedError(StoreError):
    """Another process owns the local store."""

    code = "store_locked"


class TamperedError(StoreError):
    """What is stored is not what was written: it was changed outside of the product."""

    code = "tampered"
    retryable = False


class ChatModelError(ServiceError):
    """The model server failed, timed out or answered nonsense."""

    code = "model_unavailable"


class BudgetSpentError(ChatModelError):
    """A question has taken all the calls, tokens or seconds that it may. `refused`: the call was not
    begun."""

    code = "budget_spent"
    retryable = False

    def __init__(self, message: str, *, remedy: str = "", refused: bool = True) -> None:
        super().__init__(message, remedy=remedy)
        self.refused = refused


class ChatRequestError(ChatModelError):
    """The model server is there and cannot take this request: it is too long for the model, or
    asks for what the server does not know. Asking again, or elsewhere, is of no use."""

    code = "model_refused"
    retryable = False


class GuardError(ServiceError):
    """A bigger model that checks sentences failed."""

    code = "guard_unavailable"


class ToolError(ServiceError):
    """A tool failed, took too long, or what it asks does not answer."""

    code = "tool_failed"


class EmbedderError(ServiceError):
    """What makes vectors failed, timed out or answered nonsense."""

    code = "embedder_unavailable"


class RerankerError(ServiceError):
    """What reranks failed, timed out or answered nonsense."""

    code = "reranker_unavailable"


class ModelFileError(ServiceError):
    """Model weights are missing or damaged."""

    code = "model_missing"
    retryable = False


class SettingsError(AttestError):
    """The settings are wrong or cannot be used together."""

    code = "bad_settings"
