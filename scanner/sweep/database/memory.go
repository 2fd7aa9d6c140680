package database

// memory adds what is kept of one sweep for the next.
var memory = migration{
	"",
	"",
}
