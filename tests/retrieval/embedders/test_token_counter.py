"""Counting without the model gives what the embedder counts."""

import pytest

from core.errors import ModelFileError
from core.settings import EmbedderSettings
from retrieval.embedders import build_token_counter


@pytest.mark.models
@pytest.mark.parametrize("text", ["", "The valve of pump TM20.", "水泵的压力是三巴。", "𠀀 \u200b ﬁ"])
def test_the_counter_agrees_with_the_embedder(text, weights_folder, built_in_embedder):
    assert build_token_counter(EmbedderSettings(), weights_folder)(text) == built_in_embedder.count_tokens(text)


def test_without_weights_it_says_how_to_fetch_them(tmp_path):
    with pytest.raises(ModelFileError, match="weights are not in") as caught:
        build_token_counter(EmbedderSettings(), tmp_path)
    assert "attest models fetch" in caught.value.remedy
