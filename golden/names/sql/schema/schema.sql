CREATE SCHEMA archive;

CREATE TYPE weird AS ENUM ('a-b', 'a_b', 'A B', '', '+', '1st', 'öl');
-- An enum that would be called like the table below.
CREATE TYPE person AS ENUM ('x');

CREATE TABLE people (
    id            bigint PRIMARY KEY,
    "ID"          text NOT NULL,
    id2           text NOT NULL,
    type          text NOT NULL,
    "func"        text NOT NULL,
    "select"      text NOT NULL,
    "größe"       integer NOT NULL,
    "名前"          text NOT NULL,
    "2fa"         boolean NOT NULL,
    "with space"  text NOT NULL,
    "quo""te"     text NOT NULL,
    api_url       text NOT NULL,
    user_ids      bigint[] NOT NULL,
    score         numeric,
    key           uuid,
    kind          person NOT NULL,
    weird         weird NOT NULL
);

COMMENT ON TABLE people IS 'People who are
known; don''t ask ''why''.';
COMMENT ON COLUMN people.id IS 'first line
second line';

CREATE TABLE archive.people (
    id   bigint PRIMARY KEY,
    gone date NOT NULL
);

-- A table that would be called like the row of a query.
CREATE TABLE get_name_rows (
    a integer,
    b integer
);
