-- What follows the schema's last SET is where queries look.
CREATE SCHEMA "Odd, ""Names";
CREATE SCHEMA "select";
SET search_path = "$user", "Odd, ""Names", nosuch, "select", public;
