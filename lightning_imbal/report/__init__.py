"""What people look at: tables, figures and pages made from the files of finished runs."""
