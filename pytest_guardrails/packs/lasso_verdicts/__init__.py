"""The verdict table of Lasso's Deputies v3, and every published shape of an answer, on input and output."""
