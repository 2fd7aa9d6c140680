package database

// webhook remembers the deliveries of webhooks, by the SHA-256 of their bodies.
var webhook = migration{
	`CREATE TABLE webhook_delivery (digest BLOB PRIMARY KEY, at BIGINT NOT NULL);
	CREATE INDEX webhook_delivery_at ON webhook_delivery (at)`,
	`DROP TABLE webhook_delivery`,
}
