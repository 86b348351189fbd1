CREATE TABLE worklist_version (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT worklist_version_pkc PRIMARY KEY (version_num)
)

CREATE TABLE worklist_entry (
	number INTEGER NOT NULL,
	id VARCHAR(32) NOT NULL,
	sha256 VARCHAR(64) NOT NULL,
	source TEXT,
	path BLOB NOT NULL,
	received_at BIGINT NOT NULL,
	state VARCHAR(16),
	priority VARCHAR(16),
	scored_at BIGINT,
	read_at BIGINT,
	file_format TEXT,
	rows INTEGER,
	columns INTEGER,
	remarks TEXT NOT NULL,
	is_read BOOLEAN NOT NULL,
	tier SMALLINT NOT NULL,
	descending_probability FLOAT NOT NULL,
	patient_age_days INTEGER,
	search_text TEXT NOT NULL,
	reason TEXT,
	model_version TEXT,
	pneumonia_probability FLOAT,
	bacterial_probability FLOAT,
	viral_probability FLOAT,
	flagged BOOLEAN,
	operating_point_name TEXT,
	threshold FLOAT,
	has_header BOOLEAN NOT NULL,
	patient_id TEXT,
	patient_name TEXT,
	patient_birth_date TEXT,
	patient_sex TEXT,
	patient_age TEXT,
	accession_number TEXT,
	study_date TEXT,
	study_time TEXT,
	study_description TEXT,
	modality TEXT,
	body_part_examined TEXT,
	view_position TEXT,
	patient_orientation TEXT,
	institution_name TEXT,
	manufacturer TEXT,
	study_instance_uid TEXT,
	series_instance_uid TEXT,
	sop_instance_uid TEXT,
	sop_class_uid TEXT,
	image_type TEXT,
	photometric_interpretation TEXT,
	bits_stored TEXT,
	transfer_syntax TEXT,
	burned_in_annotation TEXT, read_by TEXT, film_deleted_at BIGINT, issuer_of_patient_id TEXT, acquired_at BIGINT, acquisition_date_time TEXT, acquisition_date TEXT, acquisition_time TEXT, timezone_offset_from_utc TEXT, band SMALLINT DEFAULT '0' NOT NULL, waits_since BIGINT DEFAULT '0' NOT NULL, arrival_remarks TEXT DEFAULT '[]' NOT NULL, attested_by TEXT, attested_at BIGINT, quarter_turns SMALLINT, mirrored BOOLEAN, urgent_by TEXT, urgent_reason TEXT, assigned_to TEXT, assigned_by TEXT, urgent_at BIGINT, assigned_at BIGINT, study_key VARCHAR(32), needs_no_score BOOLEAN DEFAULT 0 NOT NULL, station_name TEXT,
	CONSTRAINT pk_worklist_entry PRIMARY KEY (number),
	CONSTRAINT ck_worklist_entry_read CHECK ((read_at IS NOT NULL) = is_read),
	CONSTRAINT ck_worklist_entry_scored CHECK ((state IS NULL) = (scored_at IS NULL)),
	CONSTRAINT ck_worklist_entry_tier CHECK (tier BETWEEN 0 AND 5),
	CONSTRAINT uq_worklist_entry_id UNIQUE (id),
	CONSTRAINT uq_worklist_entry_sha256 UNIQUE (sha256),
	CONSTRAINT ck_worklist_entry_state CHECK (state IN ('SCORED', 'REJECTED', 'FAILED')),
	CONSTRAINT ck_worklist_entry_priority CHECK (priority IN ('HIGH', 'MEDIUM', 'LOW'))
)

CREATE INDEX ix_worklist_entry_unscored ON worklist_entry (received_at, number) WHERE state IS NULL

CREATE TABLE worklist_score (
	number INTEGER NOT NULL,
	entry_number INTEGER NOT NULL,
	state VARCHAR(16) NOT NULL,
	priority VARCHAR(16) NOT NULL,
	scored_at BIGINT NOT NULL,
	activation_map BLOB,
	activation_map_rows INTEGER,
	activation_map_columns INTEGER,
	reason TEXT,
	model_version TEXT,
	pneumonia_probability FLOAT,
	bacterial_probability FLOAT,
	viral_probability FLOAT,
	flagged BOOLEAN,
	operating_point_name TEXT,
	threshold FLOAT, heat_begin FLOAT, heat_full FLOAT, lung_mask BLOB, lung_mask_rows INTEGER, lung_mask_columns INTEGER, lungs_found BOOLEAN,
	CONSTRAINT pk_worklist_score PRIMARY KEY (number),
	CONSTRAINT ck_worklist_score_model_version CHECK ((state = 'SCORED') = (model_version IS NOT NULL)),
	CONSTRAINT ck_worklist_score_reason CHECK ((state = 'SCORED') = (reason IS NULL)),
	CONSTRAINT fk_worklist_score_entry_number FOREIGN KEY(entry_number) REFERENCES worklist_entry (number),
	CONSTRAINT uq_worklist_score_entry_number_model_version UNIQUE (entry_number, model_version),
	CONSTRAINT ck_worklist_score_state CHECK (state IN ('SCORED', 'REJECTED', 'FAILED')),
	CONSTRAINT ck_worklist_score_priority CHECK (priority IN ('HIGH', 'MEDIUM', 'LOW'))
)

CREATE TABLE worklist_job (
	number INTEGER NOT NULL,
	id VARCHAR(32) NOT NULL,
	kind VARCHAR(32) NOT NULL,
	parameters TEXT NOT NULL,
	state VARCHAR(16) NOT NULL,
	cancelling BOOLEAN NOT NULL,
	requested_at BIGINT NOT NULL,
	started_at BIGINT,
	heard_at BIGINT,
	ended_at BIGINT,
	host TEXT,
	pid INTEGER,
	process_started FLOAT,
	progress TEXT,
	message TEXT,
	CONSTRAINT pk_worklist_job PRIMARY KEY (number),
	CONSTRAINT uq_worklist_job_id UNIQUE (id),
	CONSTRAINT ck_worklist_job_state CHECK (state IN ('SCHEDULED', 'RUNNING', 'COMPLETED', 'CANCELLED', 'INTERRUPTED', 'FAILED'))
)

CREATE INDEX ix_worklist_entry_read_at ON worklist_entry (read_at, received_at)

CREATE TABLE worklist_claim (
	entry_number INTEGER NOT NULL,
	reader TEXT NOT NULL,
	since BIGINT NOT NULL,
	until BIGINT NOT NULL,
	CONSTRAINT pk_worklist_claim PRIMARY KEY (entry_number),
	CONSTRAINT fk_worklist_claim_entry_number FOREIGN KEY(entry_number) REFERENCES worklist_entry (number)
)

CREATE TABLE worklist_event (
	number INTEGER NOT NULL,
	happened_at BIGINT NOT NULL,
	kind VARCHAR(32) NOT NULL,
	reader TEXT NOT NULL,
	entry_number INTEGER,
	detail TEXT,
	CONSTRAINT pk_worklist_event PRIMARY KEY (number),
	CONSTRAINT fk_worklist_event_entry_number FOREIGN KEY(entry_number) REFERENCES worklist_entry (number)
)

CREATE TABLE worklist_secret (
	name VARCHAR(32) NOT NULL,
	value BLOB NOT NULL,
	CONSTRAINT pk_worklist_secret PRIMARY KEY (name)
)

CREATE TABLE worklist_promotion (
	number INTEGER NOT NULL,
	promoted_at BIGINT NOT NULL,
	promoted_by TEXT,
	sha256 VARCHAR(64),
	model_version TEXT,
	replaced_version TEXT,
	replaces INTEGER NOT NULL,
	job_id VARCHAR(32),
	CONSTRAINT pk_worklist_promotion PRIMARY KEY (number),
	CONSTRAINT uq_worklist_promotion_replaces UNIQUE (replaces)
)

CREATE TABLE worklist_tally (is_read BOOLEAN NOT NULL, tier SMALLINT NOT NULL, state VARCHAR(16) NOT NULL, films INTEGER NOT NULL, PRIMARY KEY (is_read, tier, state)) WITHOUT ROWID

CREATE TRIGGER worklist_tally_insert AFTER INSERT ON worklist_entry BEGIN INSERT INTO worklist_tally VALUES (new.is_read, new.tier, coalesce(new.state, ''), 1) ON CONFLICT DO UPDATE SET films = films + 1; END

CREATE TRIGGER worklist_tally_delete AFTER DELETE ON worklist_entry BEGIN UPDATE worklist_tally SET films = films - 1 WHERE is_read = old.is_read AND tier = old.tier AND state = coalesce(old.state, ''); END

CREATE TRIGGER worklist_tally_update AFTER UPDATE OF is_read, tier, state ON worklist_entry BEGIN UPDATE worklist_tally SET films = films - 1 WHERE is_read = old.is_read AND tier = old.tier AND state = coalesce(old.state, ''); INSERT INTO worklist_tally VALUES (new.is_read, new.tier, coalesce(new.state, ''), 1) ON CONFLICT DO UPDATE SET films = films + 1; END

CREATE VIEW worklist_search_text AS SELECT number, search_text || char(10, 10) AS search_text FROM worklist_entry

CREATE VIRTUAL TABLE worklist_search USING fts5 (search_text, content='worklist_search_text', content_rowid='number', tokenize='trigram case_sensitive 1', detail=none, columnsize=0)

CREATE VIRTUAL TABLE worklist_search_term USING fts5vocab ('worklist_search', 'row')

CREATE TRIGGER worklist_search_insert AFTER INSERT ON worklist_entry BEGIN INSERT INTO worklist_search (rowid, search_text) VALUES (new.number, new.search_text || char(10, 10)); END

CREATE TRIGGER worklist_search_delete AFTER DELETE ON worklist_entry BEGIN INSERT INTO worklist_search (worklist_search, rowid, search_text) VALUES ('delete', old.number, old.search_text || char(10, 10)); END

CREATE TRIGGER worklist_search_update AFTER UPDATE OF search_text ON worklist_entry WHEN old.search_text <> new.search_text BEGIN INSERT INTO worklist_search (worklist_search, rowid, search_text) VALUES ('delete', old.number, old.search_text || char(10, 10)); INSERT INTO worklist_search (rowid, search_text) VALUES (new.number, new.search_text || char(10, 10)); END

CREATE INDEX ix_worklist_entry_order ON worklist_entry (is_read, tier, band, waits_since, descending_probability, number, state, search_text)

CREATE INDEX ix_worklist_entry_refused ON worklist_entry (is_read, tier, band, waits_since, descending_probability, number) WHERE state IN ('REJECTED', 'FAILED')

CREATE INDEX ix_worklist_entry_waits_since ON worklist_entry (is_read, waits_since, tier, band, descending_probability, number, state)

CREATE INDEX ix_worklist_entry_received_at ON worklist_entry (is_read, received_at, tier, band, waits_since, descending_probability, number, state)

CREATE INDEX ix_worklist_entry_pneumonia_probability ON worklist_entry (is_read, pneumonia_probability, tier, band, waits_since, descending_probability, number, state)

CREATE INDEX ix_worklist_entry_bacterial_probability ON worklist_entry (is_read, bacterial_probability, tier, band, waits_since, descending_probability, number, state)

CREATE INDEX ix_worklist_entry_state ON worklist_entry (is_read, state, tier, band, waits_since, descending_probability, number)

CREATE INDEX ix_worklist_entry_read_by ON worklist_entry (is_read, read_by, tier, band, waits_since, descending_probability, number, state)

CREATE INDEX ix_worklist_entry_patient_id ON worklist_entry (is_read, patient_id, tier, band, waits_since, descending_probability, number, state)

CREATE INDEX ix_worklist_entry_patient_name ON worklist_entry (is_read, patient_name, tier, band, waits_since, descending_probability, number, state)

CREATE INDEX ix_worklist_entry_patient_age_days ON worklist_entry (is_read, patient_age_days, tier, band, waits_since, descending_probability, number, state)

CREATE INDEX ix_worklist_entry_patient_sex ON worklist_entry (is_read, patient_sex, tier, band, waits_since, descending_probability, number, state)

CREATE INDEX ix_worklist_entry_accession_number ON worklist_entry (is_read, accession_number, tier, band, waits_since, descending_probability, number, state)

CREATE INDEX ix_worklist_entry_study_date ON worklist_entry (is_read, study_date, tier, band, waits_since, descending_probability, number, state)

CREATE INDEX ix_worklist_entry_view_position ON worklist_entry (is_read, view_position, tier, band, waits_since, descending_probability, number, state)

CREATE INDEX ix_worklist_entry_reason ON worklist_entry (is_read, reason, tier, band, waits_since, descending_probability, number, state)

CREATE INDEX ix_worklist_entry_source ON worklist_entry (is_read, source, tier, band, waits_since, descending_probability, number, state)

CREATE TABLE "worklist_review" (
	number INTEGER NOT NULL,
	entry_number INTEGER NOT NULL,
	reader TEXT NOT NULL,
	reviewed_at BIGINT NOT NULL,
	verdict VARCHAR(16),
	cause VARCHAR(16),
	comment TEXT,
	heat_seen BOOLEAN NOT NULL,
	model_version TEXT,
	flagged BOOLEAN,
	pneumonia_probability FLOAT,
	threshold FLOAT,
	takes_back BIGINT, settles BOOLEAN DEFAULT 0 NOT NULL,
	CONSTRAINT pk_worklist_review PRIMARY KEY (number),
	CONSTRAINT ck_worklist_review_cause CHECK (cause IN ('BACTERIAL', 'VIRAL', 'UNCLEAR')),
	CONSTRAINT fk_worklist_review_entry_number FOREIGN KEY(entry_number) REFERENCES worklist_entry (number),
	CONSTRAINT ck_worklist_review_verdict CHECK (verdict IN ('AGREE', 'DISAGREE', 'UNUSABLE', 'UNSURE'))
)

CREATE INDEX ix_worklist_review_entry_number_number ON worklist_review (entry_number, number)

CREATE INDEX ix_worklist_review_reviewed_at ON worklist_review (reviewed_at)

CREATE TABLE worklist_archive (
	name VARCHAR(300) NOT NULL,
	since BIGINT NOT NULL,
	reached_at BIGINT,
	problem TEXT, held_at BIGINT,
	CONSTRAINT pk_worklist_archive PRIMARY KEY (name)
)

CREATE INDEX ix_worklist_entry_scored_at ON worklist_entry (scored_at)

CREATE INDEX ix_worklist_entry_sop_instance_uid ON worklist_entry (sop_instance_uid)

CREATE TABLE worklist_instance (
	number INTEGER NOT NULL,
	entry_number INTEGER NOT NULL,
	sha256 VARCHAR(64) NOT NULL,
	dataset_sha256 VARCHAR(64) NOT NULL,
	path BLOB NOT NULL,
	CONSTRAINT pk_worklist_instance PRIMARY KEY (number),
	CONSTRAINT fk_worklist_instance_entry_number FOREIGN KEY(entry_number) REFERENCES worklist_entry (number),
	CONSTRAINT uq_worklist_instance_dataset_sha256 UNIQUE (dataset_sha256)
)

CREATE INDEX ix_worklist_instance_entry_number ON worklist_instance (entry_number)

CREATE TABLE worklist_peer (
	number INTEGER NOT NULL,
	ae_title VARCHAR(64) NOT NULL,
	address VARCHAR(64) NOT NULL,
	films BIGINT NOT NULL,
	repeated BIGINT NOT NULL,
	own_results BIGINT NOT NULL,
	refused BIGINT NOT NULL,
	seen_at BIGINT NOT NULL,
	film_at BIGINT,
	refused_at BIGINT,
	refusal TEXT,
	CONSTRAINT pk_worklist_peer PRIMARY KEY (number),
	CONSTRAINT uq_worklist_peer_ae_title_address UNIQUE (ae_title, address)
)

CREATE TABLE worklist_sweep (
	number INTEGER NOT NULL,
	swept_at BIGINT NOT NULL,
	CONSTRAINT pk_worklist_sweep PRIMARY KEY (number)
)

CREATE TABLE worklist_mark (
	entry_number INTEGER NOT NULL,
	marked_at BIGINT NOT NULL,
	CONSTRAINT pk_worklist_mark PRIMARY KEY (entry_number),
	CONSTRAINT fk_worklist_mark_entry_number FOREIGN KEY(entry_number) REFERENCES worklist_entry (number)
)

CREATE TABLE worklist_attested_score (
	number INTEGER NOT NULL,
	entry_number INTEGER NOT NULL,
	state VARCHAR(16) NOT NULL,
	priority VARCHAR(16) NOT NULL,
	scored_at BIGINT NOT NULL,
	activation_map BLOB,
	activation_map_rows INTEGER,
	activation_map_columns INTEGER,
	heat_begin FLOAT,
	heat_full FLOAT,
	lung_mask BLOB,
	lung_mask_rows INTEGER,
	lung_mask_columns INTEGER,
	lungs_found BOOLEAN,
	quarter_turns SMALLINT NOT NULL,
	mirrored BOOLEAN NOT NULL,
	reason TEXT,
	model_version TEXT,
	pneumonia_probability FLOAT,
	bacterial_probability FLOAT,
	viral_probability FLOAT,
	flagged BOOLEAN,
	operating_point_name TEXT,
	threshold FLOAT,
	CONSTRAINT pk_worklist_attested_score PRIMARY KEY (number),
	CONSTRAINT ck_worklist_attested_score_model_version CHECK ((state = 'SCORED') = (model_version IS NOT NULL)),
	CONSTRAINT ck_worklist_attested_score_reason CHECK ((state = 'SCORED') = (reason IS NULL)),
	CONSTRAINT fk_worklist_attested_score_entry_number FOREIGN KEY(entry_number) REFERENCES worklist_entry (number),
	CONSTRAINT uq_worklist_attested_score_entry_number_model_version_quarter_turns_mirrored UNIQUE (entry_number, model_version, quarter_turns, mirrored),
	CONSTRAINT ck_worklist_attested_score_state CHECK (state IN ('SCORED', 'REJECTED', 'FAILED')),
	CONSTRAINT ck_worklist_attested_score_priority CHECK (priority IN ('HIGH', 'MEDIUM', 'LOW'))
)

CREATE TABLE worklist_further_file (
	sha256 VARCHAR(64) NOT NULL,
	entry_number INTEGER NOT NULL,
	CONSTRAINT pk_worklist_further_file PRIMARY KEY (sha256),
	CONSTRAINT fk_worklist_further_file_entry_number FOREIGN KEY(entry_number) REFERENCES worklist_entry (number)
)

CREATE INDEX ix_worklist_further_file_entry_number ON worklist_further_file (entry_number)

CREATE TABLE worklist_proposal (
	number INTEGER NOT NULL,
	proposed_at BIGINT NOT NULL,
	proposed_by TEXT NOT NULL,
	sha256 VARCHAR(64) NOT NULL,
	CONSTRAINT pk_worklist_proposal PRIMARY KEY (number)
)

CREATE INDEX ix_worklist_entry_assigned ON worklist_entry (assigned_to, is_read, tier, band, waits_since, descending_probability, number, state) WHERE assigned_to IS NOT NULL

CREATE TABLE worklist_note (
	number INTEGER NOT NULL,
	entry_number INTEGER NOT NULL,
	reader TEXT NOT NULL,
	written_at BIGINT NOT NULL,
	text TEXT NOT NULL,
	settled_by TEXT,
	settled_at BIGINT,
	CONSTRAINT pk_worklist_note PRIMARY KEY (number),
	CONSTRAINT fk_worklist_note_entry_number FOREIGN KEY(entry_number) REFERENCES worklist_entry (number)
)

CREATE INDEX ix_worklist_note_entry_number ON worklist_note (entry_number)

CREATE TABLE worklist_saved_view (
	number INTEGER NOT NULL,
	reader VARCHAR(64) NOT NULL,
	name VARCHAR(64) NOT NULL,
	saved_at BIGINT NOT NULL,
	parameters TEXT NOT NULL,
	CONSTRAINT pk_worklist_saved_view PRIMARY KEY (number),
	CONSTRAINT uq_worklist_saved_view_reader_name UNIQUE (reader, name)
)

CREATE INDEX ix_worklist_entry_study_key ON worklist_entry (study_key, is_read, tier, band, waits_since, descending_probability, number, needs_no_score, state)

CREATE TABLE worklist_annotation (
	number INTEGER NOT NULL,
	entry_number INTEGER NOT NULL,
	reader TEXT NOT NULL,
	made_at BIGINT NOT NULL,
	kind VARCHAR(16) NOT NULL,
	points TEXT NOT NULL,
	value FLOAT NOT NULL,
	unit TEXT,
	basis TEXT,
	pose VARCHAR(2) NOT NULL,
	taken_back_by TEXT,
	taken_back_at BIGINT,
	CONSTRAINT pk_worklist_annotation PRIMARY KEY (number),
	CONSTRAINT fk_worklist_annotation_entry_number FOREIGN KEY(entry_number) REFERENCES worklist_entry (number)
)

CREATE INDEX ix_worklist_annotation_entry_number ON worklist_annotation (entry_number)

CREATE TABLE "worklist_outgoing" (
	number INTEGER NOT NULL,
	entry_number INTEGER NOT NULL,
	destination VARCHAR(300) NOT NULL,
	kind VARCHAR(16) NOT NULL,
	scored_at BIGINT NOT NULL,
	predecessor_scored_at BIGINT,
	model_version TEXT NOT NULL,
	state VARCHAR(16) NOT NULL,
	tries INTEGER NOT NULL,
	requested_at BIGINT NOT NULL,
	due_at BIGINT NOT NULL,
	sent_at BIGINT,
	claim VARCHAR(32),
	claimed_until BIGINT,
	problem TEXT,
	CONSTRAINT pk_worklist_outgoing PRIMARY KEY (number),
	CONSTRAINT ck_worklist_outgoing_state CHECK (state IN ('WAITING', 'SENT', 'SKIPPED', 'GIVEN_UP')),
	CONSTRAINT uq_worklist_outgoing_entry_number_destination_kind_scored_at UNIQUE (entry_number, destination, kind, scored_at),
	CONSTRAINT ck_worklist_outgoing_kind CHECK (kind IN ('REPORT', 'PICTURE', 'OUTLINE', 'HEATMAP', 'READING')),
	CONSTRAINT fk_worklist_outgoing_entry_number FOREIGN KEY(entry_number) REFERENCES worklist_entry (number)
)

CREATE INDEX ix_worklist_outgoing_due ON worklist_outgoing (destination, state, due_at, number)

CREATE TABLE worklist_prefetch (
	entry_number INTEGER NOT NULL,
	state VARCHAR(16) NOT NULL,
	tries INTEGER NOT NULL,
	due_at BIGINT NOT NULL,
	films INTEGER NOT NULL,
	claim VARCHAR(32),
	claimed_until BIGINT,
	problem TEXT,
	CONSTRAINT pk_worklist_prefetch PRIMARY KEY (entry_number),
	CONSTRAINT fk_worklist_prefetch_entry_number FOREIGN KEY(entry_number) REFERENCES worklist_entry (number),
	CONSTRAINT ck_worklist_prefetch_state CHECK (state IN ('WAITING', 'DONE', 'SKIPPED', 'GIVEN_UP'))
)

CREATE INDEX ix_worklist_prefetch_due ON worklist_prefetch (state, due_at, entry_number)

CREATE TABLE worklist_film_request (
	sop_instance_uid VARCHAR(64) NOT NULL,
	entry_number INTEGER NOT NULL,
	requested_at BIGINT NOT NULL,
	CONSTRAINT pk_worklist_film_request PRIMARY KEY (sop_instance_uid, entry_number),
	CONSTRAINT fk_worklist_film_request_entry_number FOREIGN KEY(entry_number) REFERENCES worklist_entry (number)
)

CREATE TABLE worklist_destination (
	name VARCHAR(300) NOT NULL,
	written TEXT NOT NULL,
	added_at BIGINT NOT NULL,
	added_by TEXT,
	CONSTRAINT pk_worklist_destination PRIMARY KEY (name)
)

CREATE TABLE worklist_second_reading (
	entry_number INTEGER NOT NULL,
	state VARCHAR(16) NOT NULL,
	reason VARCHAR(16) NOT NULL,
	first_reader TEXT,
	asked_by TEXT,
	begun_at BIGINT NOT NULL,
	decided_by BIGINT NOT NULL,
	CONSTRAINT pk_worklist_second_reading PRIMARY KEY (entry_number),
	CONSTRAINT ck_worklist_second_reading_state CHECK (state IN ('UNREAD', 'WAITING', 'AGREED', 'DISAGREED', 'SETTLED')),
	CONSTRAINT ck_worklist_second_reading_reason CHECK (reason IN ('ASKED', 'RULE')),
	CONSTRAINT fk_worklist_second_reading_entry_number FOREIGN KEY(entry_number) REFERENCES worklist_entry (number)
)

CREATE INDEX ix_worklist_second_reading_state ON worklist_second_reading (state, entry_number)

INSERT INTO worklist_version VALUES ('0026')
