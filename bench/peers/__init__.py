"""Side by side with other retrieval libraries: same passages, same questions, same model."""
