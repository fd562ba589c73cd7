"""Folders of mixed files through the file pipelines that each library documents."""
