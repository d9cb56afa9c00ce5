mod import_formats;
