-- Why the code of a proof that is under way did not count when it came last, in
-- words for whose proof it is; '' when it did not come.

-- +goose Up

ALTER TABLE saved_workers ADD COLUMN claim_refused TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE saved_workers DROP COLUMN claim_refused;
