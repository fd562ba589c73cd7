"""The encoder with low-rank updates, as PyTorch trains it: for `evals.fit_pairs` alone.

Knows the arithmetic of BERT and of LoRA (Hu et al. 2021) and the heads that
`retrieval.pairs.adapter` reads; knows nothing of data. The encoder's own weights stay as they are, at
half precision.
"""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from retrieval.embedders.e5_weights import E5Weights
from retrieval.pairs.adapter import FIRST, SECOND

RANK, SCALE = 16, 2.0
MATRICES = ("q", "k", "v", "ao", "fi", "fo")
_BARRED = -30.0
_HALF = torch.bfloat16


class AdaptedLinear(nn.Module):
    """A frozen product with a low-rank update beside it."""

    def __init__(self, weight: np.ndarray, bias: np.ndarray) -> None:
        super().__init__()
        self.register_buffer("weight", torch.from_numpy(np.ascontiguousarray(weight)).to(_HALF))
        self.register_buffer("bias", torch.from_numpy(bias).to(_HALF))
        rows, columns = weight.shape
        self.down = nn.Parameter(torch.randn(RANK, columns) / math.sqrt(columns))
        self.up = nn.Parameter(torch.zeros(rows, RANK))

    def forward(self, value: torch.Tensor) -> torch.Tensor:
        """`value` (..., columns) to (..., rows)."""
        made = functional.linear(value, self.weight, self.bias)
        narrow = functional.linear(value, self.down.to(_HALF))
        return made + functional.linear(narrow, self.up.to(_HALF)) * SCALE


class Head(nn.Module):
    """A logit of each token of one part, and of the pair: the sum of the tokens' odds, and the frame."""

    def __init__(self, hidden: int, part: int) -> None:
        super().__init__()
        self.token, self.frame = nn.Linear(hidden, 1), nn.Linear(hidden, 1)
        self.pool = nn.Parameter(torch.tensor(1.0))
        self._part = part
        nn.init.constant_(self.token.bias, -3.0)

    def forward(self, states: torch.Tensor, parts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(pairs,) and (pairs, tokens)."""
        tokens = self.token(states)[..., 0].masked_fill(parts != self._part, _BARRED)
        pair = self.pool * torch.logsumexp(tokens, 1) + self.frame(states[:, 0])[:, 0]
        return pair, tokens


class PairNetwork(nn.Module):
    """Encoder, updates and the heads `wrong` and `answer`."""

    def __init__(self, weights: E5Weights) -> None:
        super().__init__()
        self.config = config = weights.config
        table = weights.float_tensor("emb.pos").reshape(-1, config.hidden)
        self.register_buffer(
            "positions", torch.from_numpy(table + weights.float_tensor("emb.type")[: config.hidden])
        )
        self.products = nn.ModuleDict()
        self.norms = nn.ModuleDict({"emb": self._norm(weights, "emb.ln")})
        for layer in range(config.layers):
            for name in MATRICES:
                columns = config.feed_forward if name == "fo" else config.hidden
                matrix = weights.matrix(f"l{layer}.{name}.w", columns)
                bias = weights.float_tensor(f"l{layer}.{name}.b")
                self.products[f"l{layer}_{name}"] = AdaptedLinear(matrix, bias)
            for name in ("aln", "oln"):
                self.norms[f"l{layer}_{name}"] = self._norm(weights, f"l{layer}.{name}")
        self.wrong, self.answer = Head(config.hidden, FIRST), Head(config.hidden, SECOND)

    def forward(self, words: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """`words` (pairs, tokens, hidden), `mask` (pairs, tokens) bool; states as `words`."""
        states = self.norms["emb"](words + self.positions[: words.shape[1]]).to(_HALF)
        barred = torch.zeros(mask.shape, dtype=_HALF).masked_fill(~mask, -1e4)[:, None, None, :]
        for layer in range(self.config.layers):
            states = self._layer(layer, states, barred)
        return states.float()

    def trained(self) -> list[tuple[str, nn.Parameter]]:
        """What training changes, by name."""
        return [(name, value) for name, value in self.named_parameters() if value.requires_grad]

    def arrays(self) -> dict[str, np.ndarray]:
        """What was learned, as `retrieval.pairs.adapter.PairAdapter` reads it."""
        found: dict[str, np.ndarray] = {}
        for key, product in self.products.items():
            name = key.replace("_", ".")
            found[f"{name}.down"] = product.down.detach().numpy().astype(np.float16)
            found[f"{name}.up"] = (SCALE * product.up.detach().numpy()).astype(np.float16)
        for name, head in (("wrong", self.wrong), ("answer", self.answer)):
            for part in ("token", "frame"):
                linear = getattr(head, part)
                found[f"{name}.{part}"] = linear.weight.detach().numpy()[0]
                found[f"{name}.{part}_bias"] = linear.bias.detach().numpy()[0]
            found[f"{name}.pool"] = head.pool.detach().numpy()
        return found

    def _layer(self, layer: int, states: torch.Tensor, barred: torch.Tensor) -> torch.Tensor:
        """Attention is written out: the fused one is four times slower backwards on a CPU."""
        pairs, tokens, hidden = states.shape
        heads, size = self.config.heads, hidden // self.config.heads

        def product(name: str, value: torch.Tensor) -> torch.Tensor:
            return self.products[f"l{layer}_{name}"](value)

        query, key, value = (
            product(name, states).view(pairs, tokens, heads, size).transpose(1, 2) for name in "qkv"
        )
        share = torch.softmax(query @ key.transpose(2, 3) / math.sqrt(size) + barred, -1)
        context = (share @ value).transpose(1, 2).reshape(pairs, tokens, hidden)
        attended = product("ao", context) + states
        states = self.norms[f"l{layer}_aln"](attended.float()).to(_HALF)
        inner = product("fo", functional.gelu(product("fi", states))) + states
        return self.norms[f"l{layer}_oln"](inner.float()).to(_HALF)

    @staticmethod
    def _norm(weights: E5Weights, name: str) -> nn.LayerNorm:
        norm = nn.LayerNorm(weights.config.hidden, weights.config.layer_norm_eps)
        norm.weight.data = torch.from_numpy(weights.float_tensor(f"{name}.w"))
        norm.bias.data = torch.from_numpy(weights.float_tensor(f"{name}.b"))
        return norm.requires_grad_(False)
