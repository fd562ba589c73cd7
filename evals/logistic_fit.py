"""Fitting and judging small logistic models. Pure NumPy; knows nothing of what is fitted."""

import numpy as np


def fit(features: np.ndarray, labels: np.ndarray, ridge: float = 1.0) -> tuple[float, np.ndarray]:
    """Ridge logistic regression by Newton's method: (bias, weights) of the raw features."""
    mean, spread = features.mean(0), features.std(0) + 1e-9
    table = np.c_[np.ones(len(features)), (features - mean) / spread]
    weights = np.zeros(table.shape[1])
    penalty = np.eye(len(weights)) * ridge
    penalty[0, 0] = 0
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(table @ weights, -30, 30)))
        curve = table.T @ (table * (p * (1 - p))[:, None]) + penalty
        weights += np.linalg.solve(curve, table.T @ (labels - p) - penalty @ weights)
    return float(weights[0] - (weights[1:] * mean / spread).sum()), weights[1:] / spread


def auroc(scores: np.ndarray, labels: np.ndarray) -> float:
    """Area under the ROC curve (the Mann-Whitney statistic); equal scores count half."""
    order = np.argsort(scores, kind="stable")
    _, first, inverse, counts = np.unique(
        scores[order], return_index=True, return_inverse=True, return_counts=True
    )
    ranks = np.empty(len(scores))
    ranks[order] = (first + (counts + 1) / 2)[inverse]
    positive = int(labels.sum())
    above = ranks[labels == 1].sum() - positive * (positive + 1) / 2
    return float(above / (positive * (len(labels) - positive)))


def risk_coverage(scores: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each number of questions answered, those with the highest score first: the share
    answered, and the share of wrong ones among them (El-Yaniv and Wiener 2010)."""
    order = np.argsort(-scores, kind="stable")
    answered = np.arange(1, len(order) + 1)
    return answered / len(order), np.cumsum(1 - right[order]) / answered
