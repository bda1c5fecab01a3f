"""dslc"""
