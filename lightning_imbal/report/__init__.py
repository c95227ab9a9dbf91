"""What people look at: tables and pages made from the files of finished runs."""
