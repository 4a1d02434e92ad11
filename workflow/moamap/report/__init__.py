"""What people read: tables, verdict, figures."""
