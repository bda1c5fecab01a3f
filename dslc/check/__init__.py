"""dslc/check"""
