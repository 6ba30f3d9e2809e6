//! Who is in a project, which ticket they are viewing, and where they are typing (S3-03).
