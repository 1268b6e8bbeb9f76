"""What several tests share: the command line, files of images, a browser, pages of hostile runs."""
