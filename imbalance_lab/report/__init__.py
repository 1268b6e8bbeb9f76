"""What a person looks at: figures, tables, TensorBoard. It only shows; every number comes from evaluation."""
