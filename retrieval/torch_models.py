"""Models that sentence-transformers runs, loaded from plain files without code of their own.

Knows the library and how its loading fails; knows nothing of what a model is for.
"""

from typing import Any

from core.errors import ModelFileError, SettingsError
from retrieval.model_folder import ModelFolder


def require_library() -> None:
    """Raises SettingsError, which says how to get it, when the extra is not installed."""
    try:
        import sentence_transformers  # noqa: F401
    except ImportError as exc:
        raise SettingsError(
            "sentence-transformers is not installed", remedy='run: pip install "attest[models]"'
        ) from exc


def load_model(
    class_name: str, folder: ModelFolder, device: str, what: str, setting: str, field: str = "MODEL"
) -> Any:
    """A `SentenceTransformer` or `CrossEncoder` of the folder. For the error: `what` it is, the
    beginning of its settings' names, and the `field` that names the model.

    Raises:
        ModelFileError: the library cannot load it.
    """
    import sentence_transformers

    try:
        return getattr(sentence_transformers, class_name)(
            str(folder.path),
            device=device or None,
            trust_remote_code=False,
            local_files_only=True,
            model_kwargs={"use_safetensors": True},
        )
    except (OSError, ValueError, RuntimeError, KeyError, ImportError) as exc:
        raise ModelFileError(
            f"the {what} {folder.name} cannot be loaded ({exc})",
            remedy=f"set {setting}{field} to one that sentence-transformers loads, or mend {setting}DEVICE",
        ) from exc
