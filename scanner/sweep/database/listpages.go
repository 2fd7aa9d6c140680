package database

// listPages keeps pages of the lists of a host, with their ETags. A page is kept in the
// transaction that stores what it lists.
var listPages = migration{
	`CREATE TABLE list_page (target TEXT NOT NULL, url TEXT NOT NULL, at BIGINT NOT NULL, kept BLOB NOT NULL, PRIMARY KEY (target, url))`,
	`DROP TABLE list_page`,
}
