"""A container registry: images that somebody pushes, what is attached to them, and the distribution API.

blob           bytes with a media type, named by their digest
content        repositories: manifests, blobs and tags
distribution   requests of the OCI distribution API and their answers, without a server
documents      scan reports as Trivy writes them
signing        a key that signs images as cosign does
server         the application, and pushing from Python
"""
