-- A backup that is continued asks for the commands of a range of positions. Outcomes are stored in
-- the order of their positions, so a few bytes for every hundred pages say where to look; an index
-- entry a command would cost each append.
CREATE INDEX commands_position ON log.commands USING brin (position);
