"""dslc/passes"""
