DROP TABLE failed_reports;
