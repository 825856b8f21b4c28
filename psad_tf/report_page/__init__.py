"""What the pages of the pipeline and of the bench share: looks, words, figures."""
