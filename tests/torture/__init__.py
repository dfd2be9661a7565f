"""The promises that take servers, time and violence to prove: `make torture`; plain pytest collects nothing here."""
