"""The gate's work in Django REST framework, djangorestframework-api-key and throttles: a project of its own."""
