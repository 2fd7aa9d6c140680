package verifiertest

// lastAccessed holds the answers to calls about the services that somebody used: none.
var lastAccessed = map[string]string{
	"GenerateServiceLastAccessedDetails": "<JobId>00000000-0000-0000-0000-000000000000</JobId>",
	"GetServiceLastAccessedDetails":      "<JobStatus>COMPLETED</JobStatus><ServicesLastAccessed/><IsTruncated>false</IsTruncated>",
}
