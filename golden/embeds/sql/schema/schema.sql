CREATE TABLE teams (
    id   bigint PRIMARY KEY,
    name text NOT NULL,
    lead bigint
);

CREATE TABLE users (
    id      bigint PRIMARY KEY,
    name    text NOT NULL,
    team_id bigint REFERENCES teams (id),
    manager bigint REFERENCES users (id)
);

-- A table in which nothing is sure to be there.
CREATE TABLE notes (
    user_id bigint,
    body    text
);

CREATE VIEW busy_users AS
SELECT u.id, u.name, count(n.body) AS notes
FROM users u
LEFT JOIN notes n ON n.user_id = u.id
GROUP BY u.id;
