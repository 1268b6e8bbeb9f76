"""What a person looks at: figures, tables on the screen, TensorBoard. It only shows; every number comes from evaluation."""
