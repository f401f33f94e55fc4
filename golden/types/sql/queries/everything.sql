-- AddEverything stores a row with a value of every type and returns what was
-- stored.
-- name: AddEverything :one
INSERT INTO everything (
    bool_, int2_, int4_, int8_, float4_, float8_, numeric_, text_, varchar_, char_, name_, qchar_,
    bytea_, uuid_, json_, jsonb_, xml_, date_, time_, timetz_, timestamp_, timestamptz_, interval_,
    mood_, positive_, day_, clock_, label_, inet_, cidr_, macaddr_, bit_, varbit_, point_, box_,
    circle_, oid_, xid8_, money_, lsn_, tsvector_, tsquery_, jsonpath_, regclass_, int4range_,
    numrange_, tstzrange_, daterange_, int8multi_, ints_, texts_, moods_,
    positives_, numerics_, times_, uuids_, jsons_, byteas_, ranges_
) VALUES (
    @bool_, @int2_, @int4_, @int8_, @float4_, @float8_, @numeric_, @text_, @varchar_, @char_,
    @name_, @qchar_, @bytea_, @uuid_, @json_, @jsonb_, @xml_, @date_, @time_, @timetz_,
    @timestamp_, @timestamptz_, @interval_, @mood_, @positive_, @day_, @clock_, @label_, @inet_,
    @cidr_, @macaddr_, @bit_, @varbit_, @point_, @box_, @circle_, @oid_, @xid8_, @money_, @lsn_,
    @tsvector_, @tsquery_, @jsonpath_, @regclass_, @int4range_, @numrange_, @tstzrange_,
    @daterange_, @int8multi_, @ints_, @texts_, @moods_, @positives_,
    @numerics_, @times_, @uuids_, @jsons_, @byteas_, @ranges_
) RETURNING *;

-- name: GetEverything :one
SELECT * FROM everything WHERE id = @id;

-- TextOfEverything returns the row as the server prints it.
-- name: TextOfEverything :one
SELECT e::text FROM everything e WHERE id = @id;

-- AddPerhaps stores a row in which everything may be NULL.
-- name: AddPerhaps :one
INSERT INTO perhaps (
    bool_, int2_, int4_, int8_, float4_, float8_, numeric_, text_, qchar_, bytea_, uuid_, json_,
    jsonb_, xml_, date_, time_, timetz_, timestamp_, timestamptz_, interval_, mood_, positive_,
    day_, clock_, inet_, cidr_, macaddr_, bit_, point_, oid_, xid8_, tsvector_, int4range_,
    tstzrange_, int8multi_, ints_, texts_, moods_
) VALUES (
    sqlc.narg('bool_'), sqlc.narg('int2_'), sqlc.narg('int4_'), sqlc.narg('int8_'),
    sqlc.narg('float4_'), sqlc.narg('float8_'), sqlc.narg('numeric_'), sqlc.narg('text_'),
    sqlc.narg('qchar_'), sqlc.narg('bytea_'), sqlc.narg('uuid_'), sqlc.narg('json_'),
    sqlc.narg('jsonb_'), sqlc.narg('xml_'), sqlc.narg('date_'), sqlc.narg('time_'),
    sqlc.narg('timetz_'), sqlc.narg('timestamp_'), sqlc.narg('timestamptz_'),
    sqlc.narg('interval_'), sqlc.narg('mood_'), sqlc.narg('positive_'), sqlc.narg('day_'),
    sqlc.narg('clock_'), sqlc.narg('inet_'), sqlc.narg('cidr_'), sqlc.narg('macaddr_'),
    sqlc.narg('bit_'), sqlc.narg('point_'), sqlc.narg('oid_'), sqlc.narg('xid8_'),
    sqlc.narg('tsvector_'), sqlc.narg('int4range_'), sqlc.narg('tstzrange_'),
    sqlc.narg('int8multi_'), sqlc.narg('ints_'),
    sqlc.narg('texts_'), sqlc.narg('moods_')
) RETURNING id;

-- name: GetPerhaps :one
SELECT * FROM perhaps WHERE id = @id;

-- SetPlace stores a composite value, field by field.
-- name: SetPlace :execrows
UPDATE perhaps
SET place_ = ROW(@street::text, @mood::mood, @born::date, @tags::text[], ROW(@x::float8, NULL, @name::text)::point3, @doc::jsonb, @n::numeric, @size::int)::place
WHERE id = @id;

-- GetPlace returns a composite value and a field of it.
-- name: GetPlace :opt
SELECT place_, (place_).at AS point, (place_).street FROM perhaps WHERE id = @id;

-- ListMoods returns rows by enum, in an array and alone.
-- name: ListMoods :many
SELECT id, mood_ FROM perhaps WHERE mood_ = ANY (@moods) OR mood_ = @mood ORDER BY id;

-- CountDays counts by a domain.
-- name: CountDays :one
SELECT count(*) FROM everything WHERE day_ = @day AND clock_ <= @clock;

-- StreamNumbers streams numbers.
-- name: StreamNumbers :iter
SELECT n::int8 AS n FROM generate_series(1, @upto::int) AS n;
